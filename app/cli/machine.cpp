#include "app/cli/machine.h"

#include <cstdio>
#include <string>

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace vitrine::cli {

namespace {

std::string processor_name() {
    std::FILE* file = std::fopen("/proc/cpuinfo", "r");
    if (file == nullptr) return "unknown";
    std::string name = "unknown";
    char line[512];
    while (name == "unknown" && std::fgets(line, sizeof line, file) != nullptr) {
        const std::string text = line;
        const std::size_t colon = text.find(": ");
        if (text.rfind("model name", 0) == 0 && colon != std::string::npos)
            name = text.substr(colon + 2, text.find('\n') - colon - 2);
    }
    std::fclose(file);
    return name;
}

int usable_cores() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
    return CPU_COUNT(&set);
}

} // namespace

Json machine_document(int threads) {
    const int cores = usable_cores();
    utsname system = {};
    uname(&system);
    const auto memory = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                        static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    return {{"cpu", processor_name()},
            {"cores", cores},
            {"threads", threads == 0 ? cores : threads},
            {"memory_bytes", memory},
            {"system", std::string(system.sysname) + " " + system.release}};
}

} // namespace vitrine::cli
