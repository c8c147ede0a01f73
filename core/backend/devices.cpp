// Which devices there are, and opening one by name.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "core/backend/backend.h"
#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/vulkan/backend.h"

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

namespace {

bool contains(const std::string& text, const std::string& part) {
    const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
    return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

/// N of "vulkan:N"; 0 for "vulkan"; −1 for other names.
int vulkan_number(std::string_view name) {
    constexpr std::string_view prefix = "vulkan";
    if (!name.starts_with(prefix)) return -1;
    name.remove_prefix(prefix.size());
    if (name.empty()) return 0;
    int number = -1;
    const auto read = std::from_chars(name.data() + 1, name.data() + name.size(), number);
    const bool whole = name.front() == ':' && read.ec == std::errc{} && read.ptr == name.data() + name.size();
    return whole ? number : -1;
}

Result<std::unique_ptr<Backend>> open_listed(const DeviceInfo& device, int threads) {
    if (device.type == DeviceType::cpu) return cpu::open_cpu(threads);
    return vulkan::open_device(vulkan_number(device.id));
}

} // namespace

std::vector<DeviceInfo> list_devices() {
    std::vector<DeviceInfo> devices = vulkan::list_devices();
    devices.insert(devices.begin(), cpu::describe_cpu());
    return devices;
}

Result<std::unique_ptr<Backend>> open_backend(const std::string& name, int threads) {
    if (name == "cpu") return cpu::open_cpu(threads);
    if (const int number = vulkan_number(name); number >= 0) return vulkan::open_device(number);
    const std::vector<DeviceInfo> devices = list_devices();
    if (name == "auto") {
        const auto hardware = std::find_if(devices.begin(), devices.end(), [](const DeviceInfo& device) {
            return device.type == DeviceType::discrete || device.type == DeviceType::integrated;
        });
        return open_listed(hardware == devices.end() ? devices.front() : *hardware, threads);
    }
    std::string known;
    for (const DeviceInfo& device : devices) {
        if (contains(device.name, name)) return open_listed(device, threads);
        known += fmt::format("{}{} ({})", known.empty() ? "" : ", ", device.id, device.name);
    }
    return fail(Code::not_found, fmt::format("There is no device \"{}\"; this machine has {}.", name, known));
}

Result<std::unique_ptr<LoadedModel>> load_oracle(const model::Model& model, const DeviceInfo& device,
                                                 int threads) {
    if (device.type == DeviceType::cpu) return cpu::load_double(model, threads);
    return cpu::open_cpu(threads)->load(model, Precision::exact, {}, {});
}

} // namespace vitrine::backend
