#include "core/engine/recorder.h"

#include <fmt/format.h>

#include "core/base/hash.h"
#include "core/base/version.h"

namespace vitrine::engine {

namespace {

using store::ActivationWriter;

Status add_floats(ActivationWriter& writer, const std::string& path, const std::vector<std::string>& axes,
                  const std::vector<float>& values) {
    const Tensor tensor({static_cast<std::int64_t>(values.size())}, values);
    return writer.add_array(path, axes, tensor.view());
}

/// float64 arrays, as analyses make them.
Status add_doubles(ActivationWriter& writer, const std::string& path, const std::vector<std::string>& axes,
                   const Shape& shape, const std::vector<double>& values) {
    const TensorView view{reinterpret_cast<const std::byte*>(values.data()), DType::f64, shape};
    return writer.add_array(path, axes, view);
}

std::string tokenizer_hash(const OpenModel& model) {
    return model.tokenizer ? model.tokenizer->hash() : std::string();
}

} // namespace

store::FileHeader header_for(const OpenModel& model, const Json& spec, model::Coordinates coordinates) {
    store::FileHeader header;
    header.model = model.request.name;
    header.weights_hash = model.model.weights_hash;
    header.spec = canonical_json(spec);
    header.spec_hash = sha256(header.spec);
    header.device = model.loaded->device().name;
    header.precision = backend::name_of(model.loaded->precision());
    header.version = version();
    header.coordinates = model::name_of(coordinates);
    return header;
}

Status write_run(ActivationWriter& writer, const run::RunSpec& spec, const run::RunResult& result) {
    for (std::size_t row = 0; row < result.rows.size(); ++row) {
        const run::RowResult& values = result.rows[row];
        const int index = static_cast<int>(row);
        VITRINE_TRY(writer.add_tokens(index, spec.rows[row].ids));
        if (!values.token_nll.empty())
            VITRINE_TRY(add_floats(writer, fmt::format("/row{}/token_nll", row), {"pos"}, values.token_nll));
        std::vector<float> entropy;
        std::vector<float> logsumexp;
        for (const run::PositionResult& position : values.positions) {
            entropy.push_back(position.stats.entropy);
            logsumexp.push_back(position.stats.logsumexp);
        }
        VITRINE_TRY(add_floats(writer, fmt::format("/row{}/entropy", row), {"position"}, entropy));
        VITRINE_TRY(add_floats(writer, fmt::format("/row{}/logsumexp", row), {"position"}, logsumexp));
        for (const run::Captured& captured : values.captures)
            VITRINE_TRY(writer.add(index, captured.hook, captured.axes, captured.tensor.view()));
    }
    return {};
}

Status write_generation(ActivationWriter& writer, const run::GenerateSpec& spec,
                        const run::GenerateResult& result) {
    for (std::size_t row = 0; row < result.rows.size(); ++row) {
        const run::GeneratedRow& generated = result.rows[row];
        std::vector<std::int32_t> ids = spec.prompt.rows[row].ids;
        ids.insert(ids.end(), generated.new_ids.begin(), generated.new_ids.end());
        VITRINE_TRY(writer.add_tokens(static_cast<int>(row), ids));
        std::vector<double> entropy;
        std::vector<double> prob;
        for (const run::GenerateStep& step : generated.steps) {
            entropy.push_back(step.entropy);
            prob.push_back(step.prob);
        }
        const Shape steps{static_cast<std::int64_t>(generated.steps.size())};
        VITRINE_TRY(add_doubles(writer, fmt::format("/row{}/entropy", row), {"step"}, steps, entropy));
        VITRINE_TRY(add_doubles(writer, fmt::format("/row{}/prob", row), {"step"}, steps, prob));
        for (std::size_t step = 0; step < generated.steps.size(); ++step)
            for (const run::Captured& captured : generated.steps[step].captures)
                VITRINE_TRY(writer.add_step(static_cast<int>(row), static_cast<int>(step), captured.hook,
                                            captured.axes, captured.tensor.view()));
    }
    return {};
}

Status write_results(ActivationWriter& writer, const std::vector<ResultValue>& results) {
    for (const ResultValue& result : results) {
        const std::string path = "/results/" + result.name;
        if (result.data.empty()) {
            VITRINE_TRY(writer.add_text(path, dump_json(result.json)));
            continue;
        }
        std::vector<std::string> axes;
        Shape shape;
        for (const ResultAxis& axis : result.axes) {
            axes.push_back(axis.name);
            shape.push_back(axis.size);
        }
        VITRINE_TRY(add_doubles(writer, path, axes, shape, result.data));
    }
    return {};
}

StepRecorder::StepRecorder(BeginStep begin_step, const OpenModel& model, const std::string& kind,
                           const Json& spec, model::Coordinates coordinates)
    : begin_step_(std::move(begin_step)), header_(header_for(model, spec, coordinates)) {
    step_.kind = kind;
    step_.spec = spec;
    step_.device = {model.loaded->device().name, model.loaded->device().driver};
    step_.precision = backend::name_of(model.loaded->precision());
    step_.app_version = version();
    step_.model =
        session::Model{model.model.weights_hash, tokenizer_hash(model), model.config, model.model.path};
}

Status StepRecorder::begin() {
    if (!begin_step_) return {};
    VITRINE_ASSIGN(begun_, begin_step_(step_));
    begin_step_ = nullptr;
    return {};
}

double StepRecorder::elapsed_ms() const {
    return before_ms_ +
           std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
}

Result<std::int64_t> StepRecorder::finish(const std::function<Status(ActivationWriter&)>& write) {
    VITRINE_TRY(begin());
    if (begun_.session == nullptr) return 0;
    const double ms = elapsed_ms();
    auto writer = ActivationWriter::create(begun_.session->activation_file(begun_.seq), header_);
    if (!writer) return fail_with(writer.error());
    if (auto written = write(*writer); !written) {
        writer->abandon();
        return fail_with(written.error());
    }
    auto artifacts = writer->finish();
    if (!artifacts) return fail_with(artifacts.error());
    VITRINE_TRY(begun_.session->finish_step(begun_.seq, ms, *artifacts));
    return begun_.seq;
}

tl::unexpected<Error> StepRecorder::fail_with(Error error) {
    if (begun_.session != nullptr) {
        // The first error is what the user must hear; that the journal could not take it adds nothing.
        if (error.code == Code::cancelled)
            (void)begun_.session->cancel_step(begun_.seq, elapsed_ms());
        else
            (void)begun_.session->fail_step(begun_.seq, error, elapsed_ms());
    }
    return tl::unexpected<Error>(std::move(error));
}

} // namespace vitrine::engine
