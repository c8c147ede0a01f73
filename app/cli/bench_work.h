#pragma once
// What `bench` measures: the same paths that run and generate take.
#include <string>
#include <vector>

#include "core/backend/backend.h"
#include "core/base/json.h"

namespace vitrine::cli {

struct BenchSubject {
    std::string name; ///< a model, or a shape
    std::string device;
    int threads = 0;
    backend::Precision precision = backend::Precision::exact;
};

struct BenchPlan {
    std::vector<std::string> works;           ///< load, forward, decode, sweep, patch
    std::vector<int> tokens = {16, 128, 512}; ///< length of the row, of the prompt for decode
    std::vector<int> sweep_tokens = {16};
    std::vector<int> patch_tokens = {64};
    std::vector<std::string> captures; ///< none, all
    int runs = 5;
};

struct BenchResult {
    Json rows = Json::array();
    backend::DeviceInfo device;
    double peak = 0; ///< FLOP a second of the device's product
};

/// Times every work. Errors are those of opening, loading and running; out_of_range if a length does not fit
/// the model's context.
Result<BenchResult> run_bench(const BenchSubject& subject, const BenchPlan& plan, const CancelToken& cancel,
                              const Progress& progress);

} // namespace vitrine::cli
