#include "core/backend/vulkan/backend.h"

#include <fmt/format.h>

#include "core/backend/vulkan/model.h"
#include "core/backend/vulkan/read_caps.h"

namespace vitrine::backend::vulkan {

namespace {

/// Adapters that the program can use; a device's number counts these.
std::vector<std::size_t> usable_adapters(const Instance& instance) {
    std::vector<std::size_t> usable;
    for (std::size_t i = 0; i < instance.adapters().size(); ++i)
        if (instance.adapters()[i].caps.usable()) usable.push_back(i);
    return usable;
}

DeviceInfo describe(const DeviceCaps& caps, std::size_t number) {
    DeviceInfo info;
    info.id = fmt::format("vulkan:{}", number);
    info.name = caps.name;
    info.driver = caps.driver;
    info.api = "Vulkan " + version_name(caps.api);
    info.type = caps.type;
    info.memory_bytes = caps.memory_bytes;
    const auto yes_no = [](bool has) { return has ? "yes" : "no"; };
    info.features = {{"subgroup", std::to_string(caps.subgroup)},
                     {"shared_bytes", std::to_string(caps.shared_bytes)},
                     {"storage_range_bytes", std::to_string(caps.max_storage_range)},
                     {"float16", yes_no(caps.float16)},
                     {"storage16", yes_no(caps.storage16)},
                     {"host_visible", yes_no(caps.host_visible)}};
    return info;
}

class VulkanBackend : public Backend {
public:
    VulkanBackend(std::shared_ptr<Device> device, DeviceInfo info)
        : device_(std::move(device)), info_(std::move(info)) {}

    const DeviceInfo& device() const override { return info_; }

    Result<std::unique_ptr<LoadedModel>> load(const model::Model& model, Precision precision,
                                              const CancelToken& cancel, const Progress& progress) override {
        if (precision == Precision::mixed)
            return fail(Code::unsupported,
                        fmt::format("{} runs models in float32 only in this version; use --precision "
                                    "exact.",
                                    info_.name));
        auto loaded = std::make_unique<VulkanModel>(device_, info_, model);
        VITRINE_TRY(loaded->upload(cancel, progress));
        return std::unique_ptr<LoadedModel>(std::move(loaded));
    }

private:
    std::shared_ptr<Device> device_;
    DeviceInfo info_;
};

} // namespace

std::vector<DeviceInfo> list_devices() {
    const auto instance = Instance::open();
    if (!instance) return {};
    std::vector<DeviceInfo> devices;
    for (std::size_t adapter : usable_adapters(**instance))
        devices.push_back(describe((*instance)->adapters()[adapter].caps, devices.size()));
    return devices;
}

Result<std::unique_ptr<Backend>> open_device(int number) {
    VITRINE_ASSIGN(auto instance, Instance::open());
    const std::vector<std::size_t> usable = usable_adapters(*instance);
    if (number < 0 || static_cast<std::size_t>(number) >= usable.size()) {
        // A device that was refused says why.
        for (const Adapter& adapter : instance->adapters())
            if (usable.empty() && !adapter.caps.usable())
                return fail(Code::unsupported, adapter.caps.refused);
        return fail(Code::not_found, usable.empty()
                                         ? "There is no Vulkan device on this machine; install a driver "
                                           "(mesa-vulkan-drivers has a software one) or use --device cpu."
                                         : fmt::format("There is no device vulkan:{}; the last one is "
                                                       "vulkan:{}.",
                                                       number, usable.size() - 1));
    }
    const std::size_t adapter = usable[static_cast<std::size_t>(number)];
    DeviceInfo info = describe(instance->adapters()[adapter].caps, static_cast<std::size_t>(number));
    VITRINE_ASSIGN(auto device, Device::create(std::move(instance), adapter));
    return std::unique_ptr<Backend>(std::make_unique<VulkanBackend>(std::move(device), std::move(info)));
}

int validation_messages() {
    const auto instance = Instance::open();
    if (!instance || !(*instance)->validating()) return -1;
    return (*instance)->validation_messages();
}

} // namespace vitrine::backend::vulkan
