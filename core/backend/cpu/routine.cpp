#include "core/backend/cpu/routine.h"

#include <algorithm>
#include <chrono>
#include <fstream>

#include <fmt/format.h>

#include "core/backend/cpu/blas.h"
#include "core/backend/cpu/kernels.h"
#include "core/backend/cpu/product.h"
#include "core/base/cache_folder.h"
#include "core/base/json.h"

namespace vitrine::backend::cpu {

std::string_view name_of(Routine routine) {
    switch (routine) {
    case Routine::packed:
        return "packed";
    case Routine::eigen:
        return "eigen";
    case Routine::onednn:
        return "onednn";
    case Routine::blis:
        return "blis";
    }
    return "?";
}

Routine choose(const std::vector<Rate>& rates) {
    Rate best;
    for (const Rate& rate : rates)
        if (rate.routine == Routine::packed) best = rate;
    double to_beat = best.many_rows * 1.1;
    for (const Rate& rate : rates) {
        if (rate.routine == Routine::packed || rate.many_rows < to_beat || rate.few_rows < best.few_rows)
            continue;
        best = rate;
        to_beat = rate.many_rows;
    }
    return best.routine;
}

namespace {

constexpr int calibration_inner = 768;
constexpr int calibration_columns = 768;

/// Best of several: what else runs on the machine can only slow a product down.
double rate_of(const Matrix<float>& matrix, const std::vector<float>& x, int rows, ThreadPool& one) {
    std::vector<float> y(static_cast<std::size_t>(rows) * calibration_columns);
    Workspace<float> workspace;
    const CancelToken never;
    double best = 0;
    for (int repeat = 0; repeat < 8; ++repeat) {
        const auto start = std::chrono::steady_clock::now();
        multiply<float>(matrix, matrix.whole(), {x.data(), rows, calibration_inner}, nullptr,
                        {y.data(), calibration_columns}, workspace, one, never);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        best = std::max(best, 2e-9 * rows * calibration_inner * calibration_columns / seconds.count());
    }
    return best;
}

} // namespace

std::vector<Rate> measure() {
    ThreadPool one(1);
    std::vector<float> w(static_cast<std::size_t>(calibration_inner) * calibration_columns);
    std::vector<float> x(std::size_t{96} * calibration_inner);
    for (std::size_t i = 0; i < w.size(); ++i)
        w[i] = static_cast<float>(i % 1021) / 1021.0F - 0.5F;
    for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = static_cast<float>(i % 997) / 997.0F - 0.5F;
    model::Weight weight;
    weight.data = reinterpret_cast<const std::byte*>(w.data());
    weight.rows = calibration_inner;
    weight.cols = calibration_columns;
    weight.row_stride = calibration_columns;
    std::vector<Rate> rates;
    for (const Routine routine : all_routines) {
        if (!available(routine)) continue;
        const Matrix<float> matrix(weight, routine, one);
        rates.push_back({routine, rate_of(matrix, x, 96, one), rate_of(matrix, x, 16, one)});
    }
    return rates;
}

std::string processor_name() {
    std::ifstream info("/proc/cpuinfo");
    std::string name = "unknown processor";
    for (std::string line; std::getline(info, line);) {
        if (!line.starts_with("model name")) continue;
        const std::size_t colon = line.find(':');
        if (colon != std::string::npos && colon + 2 < line.size()) name = line.substr(colon + 2);
        break;
    }
    return fmt::format("{}, {}", name, vector_width());
}

std::filesystem::path routine_file() {
    const std::filesystem::path folder = cache_folder();
    return folder.empty() ? folder : folder / "products.json";
}

namespace {

Json read_object(const std::filesystem::path& file) {
    auto json = read_json(file);
    return json && json->is_object() ? *json : Json::object();
}

} // namespace

Routine remembered_routine(const std::filesystem::path& file) {
    const std::string processor = processor_name();
    Json memory = file.empty() ? Json::object() : read_object(file);
    if (const auto entry = memory.find(processor); entry != memory.end() && entry->is_object()) {
        const auto name = member_or<std::string>(*entry, "routine", "", "products.json");
        for (const Routine routine : all_routines)
            if (name && *name == name_of(routine) && available(routine)) return routine;
    }
    const std::vector<Rate> rates = measure();
    const Routine chosen = choose(rates);
    if (file.empty()) return chosen;
    Json entry = {{"routine", name_of(chosen)}};
    for (const Rate& rate : rates)
        entry["gflops"][std::string(name_of(rate.routine))] = {rate.many_rows, rate.few_rows};
    memory[processor] = entry;
    write_cache(file, dump_json(memory, 1) + "\n");
    return chosen;
}

} // namespace vitrine::backend::cpu
