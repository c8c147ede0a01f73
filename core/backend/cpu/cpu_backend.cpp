#include "core/backend/cpu/cpu_backend.h"

#include <fmt/format.h>
#include <unistd.h>

#include "core/backend/cpu/cpu_model.h"
#include "core/backend/cpu/kernels.h"

namespace vitrine::backend::cpu {

namespace {

class CpuBackend final : public Backend {
public:
    CpuBackend(int threads, Routine routine)
        : pool_(std::make_shared<ThreadPool>(threads)), routine_(routine), device_(describe_cpu()) {
        device_.driver = fmt::format("{}, {} products, {} thread{}", vector_width(), name_of(routine),
                                     pool_->threads(), pool_->threads() == 1 ? "" : "s");
    }

    const DeviceInfo& device() const override { return device_; }

    Result<std::unique_ptr<LoadedModel>> load(const model::Model& model, Precision precision,
                                              const CancelToken& cancel, const Progress& progress) override {
        if (precision != Precision::exact) {
            return fail(Code::unsupported,
                        "The CPU computes in exact precision only; choose exact precision or a GPU.");
        }
        VITRINE_ASSIGN(auto weights, Weights<float>::load(model, routine_, *pool_, cancel, progress));
        return std::make_unique<CpuModel<float>>(model.spec, std::move(weights), device_, pool_);
    }

private:
    std::shared_ptr<ThreadPool> pool_;
    Routine routine_;
    DeviceInfo device_;
};

} // namespace

DeviceInfo describe_cpu() {
    DeviceInfo info;
    info.id = "cpu";
    info.name = processor_name();
    info.name = info.name.substr(0, info.name.rfind(','));
    info.driver = std::string(vector_width());
    info.type = DeviceType::cpu;
    info.memory_bytes = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                        static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    info.features = {{"vector width", std::string(vector_width())}};
    return info;
}

std::unique_ptr<Backend> open_cpu(int threads) {
    return open_cpu(threads, remembered_routine(routine_file()));
}

std::unique_ptr<Backend> open_cpu(int threads, Routine routine) {
    return std::make_unique<CpuBackend>(threads, routine);
}

Result<std::unique_ptr<LoadedModel>> load_double(const model::Model& model, int threads) {
    auto pool = std::make_shared<ThreadPool>(threads);
    VITRINE_ASSIGN(auto weights, Weights<double>::load(model, Routine::packed, *pool, {}, {}));
    return std::make_unique<CpuModel<double>>(model.spec, std::move(weights), describe_cpu(), pool);
}

} // namespace vitrine::backend::cpu
