#pragma once
// Executes plans on the CPU.
#include "core/backend/cpu/context.h"

namespace vitrine::backend::cpu {

template <typename S>
class CpuModel final : public LoadedModel {
public:
    CpuModel(model::ModelSpec spec, Weights<S> weights, DeviceInfo device, std::shared_ptr<ThreadPool> pool)
        : spec_(std::move(spec)), weights_(std::move(weights)), device_(std::move(device)),
          pool_(std::move(pool)) {}

    const DeviceInfo& device() const override { return device_; }
    Precision precision() const override { return Precision::exact; }
    std::uint64_t resident_bytes() const override { return weights_.resident_bytes(); }
    Limits limits() const override;
    Result<std::unique_ptr<KvCache>> make_cache(int rows, int capacity) override;
    Result<Outputs> execute(const run::Plan& plan, KvCache* cache, const CancelToken& cancel,
                            const Progress& progress) override;

private:
    model::ModelSpec spec_;
    Weights<S> weights_;
    DeviceInfo device_;
    std::shared_ptr<ThreadPool> pool_;
    Scratch<S> scratch_;
};

} // namespace vitrine::backend::cpu
