#pragma once
// What executes plans: a device with a model's weights resident on it.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/base/tensor.h"
#include "core/model/model.h"
#include "core/run/plan.h"

namespace vitrine::backend {

/// exact: float32 throughout. mixed: 16-bit weights and matrix inputs, float32 accumulation, residual stream,
/// norms and softmax.
enum class Precision { exact, mixed };
inline std::string name_of(Precision precision) { return precision == Precision::exact ? "exact" : "mixed"; }

enum class DeviceType { cpu, integrated, discrete, software };
std::string name_of(DeviceType type);

struct DeviceInfo {
    std::string id;     ///< "cpu", "vulkan:0"
    std::string name;   ///< as the vendor writes it
    std::string driver; ///< with version; on the CPU the product routine and the vector width
    std::string api;    ///< "Vulkan 1.3.239"; empty on the CPU
    DeviceType type = DeviceType::cpu;
    std::uint64_t memory_bytes = 0;
    std::vector<std::pair<std::string, std::string>> features; ///< name, value
};

struct TopToken {
    std::int32_t id;
    float logit;
};

/// Next-token statistics of one packed row, nats. Sums over the vocabulary are accumulated so that they agree
/// with float64 to float32's precision.
struct LogitRow {
    float logsumexp = 0;
    float entropy = 0;          ///< −Σ p ln p
    float varentropy = 0;       ///< Σ p (ln p + entropy)²
    float nll = 0;              ///< logsumexp − logit[target]; NaN without a target
    std::vector<TopToken> top;  ///< largest first; ties by smaller id
    std::vector<float> watched; ///< logits of LogitStats::watch
};

struct Outputs {
    std::vector<Tensor>
        captures; ///< by slot; tokens: [count, heads, width]; pairs: one flat axis, as in Layout
    std::vector<LogitRow> logit_rows; ///< in the order of LogitStats::rows
    double device_ms = 0;             ///< execution without reading back
    std::uint64_t scratch_bytes = 0;  ///< arena and staging of this plan
};

/// Keys and values of earlier tokens, on the device. Made by a LoadedModel for its own plans.
class KvCache {
public:
    virtual ~KvCache() = default;
    /// Tokens held for a row; every executed plan with CacheAppend adds its row's tokens.
    virtual int length(int row) const = 0;
    /// Forgets what follows the first `length` tokens of a row (to branch a generation).
    virtual void truncate(int row, int length) = 0;
};

/// What one plan may take; the runner splits the batch accordingly.
struct Limits {
    std::uint64_t value_bytes = std::uint64_t{1} << 40;   ///< largest single value
    std::uint64_t scratch_bytes = std::uint64_t{1} << 30; ///< arena and captures of one plan
    int rows = 65536;                                     ///< of one plan's batch
    /// Arena and captures above which two plans are faster than one, as long as neither computes what the
    /// other does: memory that is used again is at hand. 0: nowhere.
    std::uint64_t worthwhile_bytes = 0;
};

/// A model's weights on one device. One thread at a time.
class LoadedModel {
public:
    virtual ~LoadedModel() = default;
    virtual const DeviceInfo& device() const = 0;
    virtual Precision precision() const = 0;
    virtual std::uint64_t resident_bytes() const = 0;
    virtual Limits limits() const { return {}; }

    /// Room for `rows` rows of up to `capacity` tokens; out_of_memory if the device has not enough.
    virtual Result<std::unique_ptr<KvCache>> make_cache(int rows, int capacity) = 0;

    /// Runs the ops in order. `cache` must be given if the plan has CacheAppend, and its lengths must equal
    /// the plan's `past`. Errors: cancelled, device, out_of_memory; nothing is left half-changed but the
    /// cache, whose lengths are then unchanged.
    virtual Result<Outputs> execute(const run::Plan& plan, KvCache* cache, const CancelToken& cancel,
                                    const Progress& progress) = 0;
};

/// A device that is open.
class Backend {
public:
    virtual ~Backend() = default;
    virtual const DeviceInfo& device() const = 0;
    /// Uploads or packs the weights. The model must outlive the result. Refuses weights with NaN or
    /// infinities (malformed, naming the tensor).
    virtual Result<std::unique_ptr<LoadedModel>> load(const model::Model& model, Precision precision,
                                                      const CancelToken& cancel,
                                                      const Progress& progress) = 0;
};

/// Every device of this machine, the CPU first. Works without any driver.
std::vector<DeviceInfo> list_devices();

/// `name`: "auto" (a hardware Vulkan device, else the CPU), "cpu", "vulkan", "vulkan:N" or part of a device's
/// name. threads: 0 for all cores. not_found names the devices there are.
Result<std::unique_ptr<Backend>> open_backend(const std::string& name, int threads);

/// The CPU as reference for a device: float32, or float64 where the device is the CPU itself. The model must
/// outlive the result.
Result<std::unique_ptr<LoadedModel>> load_oracle(const model::Model& model, const DeviceInfo& device,
                                                 int threads);

} // namespace vitrine::backend
