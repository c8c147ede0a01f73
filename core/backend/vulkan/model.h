#pragma once
#include "core/backend/vulkan/backend.h"
#include "core/backend/vulkan/execution.h"

namespace vitrine::backend::vulkan {

class VulkanModel : public LoadedModel {
public:
    VulkanModel(std::shared_ptr<Device> device, DeviceInfo info, const model::Model& model)
        : device_(std::move(device)), info_(std::move(info)), model_(model), weights_(*device_, model),
          memory_(*device_) {}

    Status upload(const CancelToken& cancel, const Progress& progress) {
        return weights_.upload(cancel, progress);
    }

    const DeviceInfo& device() const override { return info_; }
    Precision precision() const override { return Precision::exact; }
    std::uint64_t resident_bytes() const override { return weights_.bytes(); }
    Limits limits() const override;
    Result<std::unique_ptr<KvCache>> make_cache(int rows, int capacity) override;
    Result<Outputs> execute(const run::Plan& plan, KvCache* cache, const CancelToken& cancel,
                            const Progress& progress) override;

private:
    std::shared_ptr<Device> device_; // first: everything below lives on it
    DeviceInfo info_;
    const model::Model& model_;
    Weights weights_;
    WorkingMemory memory_;
};

} // namespace vitrine::backend::vulkan
