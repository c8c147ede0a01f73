// A device against the CPU (the CPU against float64), layer by layer, on a prompt that every model can read.
#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "core/base/memory.h"
#include "core/engine/check_cache.h"
#include "core/engine/engine.h"
#include "core/run/runner.h"
#include "core/run/sampler.h"
#include "core/session/clock.h"

namespace vitrine::engine {

namespace {

/// Largest differences allowed, as a share of max(1, max|x|) of the tensor in the reference.
constexpr double exact_band = 5e-5;
constexpr double mixed_band = 1e-2;

run::RunSpec check_spec(const OpenModel& model) {
    run::RunSpec spec;
    run::RunRow row;
    if (model.tokenizer)
        if (auto encoded = encode_row(model, "The quick brown fox jumps over the lazy dog. 1, 2, 3: go!",
                                      tokenizer::Specials::by_template))
            row = *encoded;
    // Without a tokenizer: ids spread over the vocabulary.
    if (row.ids.empty())
        for (int step = 0; step < 16; ++step)
            row.ids.push_back((step * 7919 + 1) % model.model.spec.vocab);
    row.ids.resize(std::min(row.ids.size(), static_cast<std::size_t>(model.model.spec.context)));
    spec.rows = {std::move(row)};
    spec.captures = {"*hook_resid_pre", "*hook_pattern", "*hook_resid_post", "unembed.hook_in"};
    spec.choice = run::PositionChoice::all;
    spec.loss = false;
    spec.logits = true;
    spec.top = 1;
    return spec;
}

struct Difference {
    double absolute = 0; ///< largest |a − b|
    double allowed = 0;
};

Difference difference(const Tensor& device, const Tensor& reference, double band) {
    Difference result;
    double largest = 1;
    for (std::size_t i = 0; i < reference.data.size(); ++i) {
        const double r = static_cast<double>(reference.data[i]);
        const double d = static_cast<double>(device.data[i]);
        if (std::isfinite(r)) largest = std::max(largest, std::abs(r));
        const double gap = std::abs(d - r);
        if (!(gap <= result.absolute)) result.absolute = gap; // NaN counts as the largest
    }
    result.allowed = band * largest;
    return result;
}

void compare_logits(const Tensor& device, const Tensor& reference, SelfCheck& check) {
    const auto vocab = static_cast<std::size_t>(reference.shape[1]);
    const auto positions = static_cast<std::size_t>(reference.shape[0]);
    double kl = 0;
    for (std::size_t position = 0; position < positions; ++position) {
        const auto p = run::distribution_of(std::span(reference.data).subspan(position * vocab, vocab));
        const auto q = run::distribution_of(std::span(device.data).subspan(position * vocab, vocab));
        for (std::size_t id = 0; id < vocab; ++id)
            if (p.probabilities[id] > 0)
                kl += p.probabilities[id] * std::log(p.probabilities[id] / q.probabilities[id]);
        check.argmax_agreement = check.argmax_agreement && p.best == q.best;
    }
    check.kl = kl / static_cast<double>(positions);
}

Result<SelfCheck> compare_with_oracle(OpenModel& model, const CancelToken& cancel, const Progress& progress) {
    const auto started = std::chrono::steady_clock::now();
    SelfCheck check;
    check.device = model.loaded->device().name;
    check.precision = backend::name_of(model.loaded->precision());
    const double band = model.loaded->precision() == backend::Precision::exact ? exact_band : mixed_band;
    const run::RunSpec spec = check_spec(model);
    VITRINE_ASSIGN(const auto loaded,
                   backend::load_oracle(model.model, model.loaded->device(), model.request.threads));
    VITRINE_ASSIGN(const run::RunResult reference, run::run(*loaded, model.model, spec, cancel, progress));
    VITRINE_ASSIGN(const run::RunResult result, run::run(*model.loaded, model.model, spec, cancel, progress));
    const run::RowResult& ours = result.rows.front();
    const run::RowResult& theirs = reference.rows.front();
    for (std::size_t i = 0; i < theirs.captures.size(); ++i) {
        const Difference found = difference(ours.captures[i].tensor, theirs.captures[i].tensor, band);
        if (!(found.absolute <= found.allowed) && check.first_divergent.empty())
            check.first_divergent = theirs.captures[i].hook;
    }
    const Difference logits = difference(ours.logits, theirs.logits, band);
    check.max_abs_dlogit = logits.absolute;
    check.band = logits.allowed;
    compare_logits(ours.logits, theirs.logits, check);
    if (!(logits.absolute <= logits.allowed) && check.first_divergent.empty())
        check.first_divergent = "unembed.hook_out";
    check.passed = check.first_divergent.empty();
    check.measured = session::utc_now();
    check.ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started).count();
    return check;
}

} // namespace

Result<SelfCheck> Engine::self_check(OpenModel& model, const CancelToken& cancel, const Progress& progress,
                                     bool again) {
    if (!again)
        if (auto known = known_check(model)) return *known;
    VITRINE_ASSIGN(const SelfCheck check,
                   within_memory("There is not enough memory to check the device against the CPU.",
                                 [&] { return compare_with_oracle(model, cancel, progress); }));
    keep_check(model, check);
    return check;
}

} // namespace vitrine::engine
