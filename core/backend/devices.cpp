// Which devices there are, and opening one by name.
#include <algorithm>

#include <fmt/format.h>

#include "core/backend/backend.h"
#include "core/backend/cpu/cpu_backend.h"

namespace vitrine::backend {

std::string name_of(DeviceType type) {
    switch (type) {
    case DeviceType::cpu:
        return "cpu";
    case DeviceType::integrated:
        return "integrated";
    case DeviceType::discrete:
        return "discrete";
    case DeviceType::software:
        return "software";
    }
    return "?";
}

std::vector<DeviceInfo> list_devices() { return {cpu::describe_cpu()}; }

Result<std::unique_ptr<Backend>> open_backend(const std::string& name, int threads) {
    if (name == "auto" || name == "cpu") return cpu::open_cpu(threads);
    const std::vector<DeviceInfo> devices = list_devices();
    std::string known;
    for (const DeviceInfo& device : devices) {
        if (device.id == "cpu" && device.name.find(name) != std::string::npos) return cpu::open_cpu(threads);
        known += fmt::format("{}{} ({})", known.empty() ? "" : ", ", device.id, device.name);
    }
    return fail(Code::not_found, fmt::format("There is no device \"{}\"; this machine has {}.", name, known));
}

} // namespace vitrine::backend
