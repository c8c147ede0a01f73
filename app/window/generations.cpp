#include "app/window/generations.h"

#include <algorithm>

#include "core/run/spec_json.h"
#include "core/store/activation_reader.h"

namespace vitrine::window {

namespace {

constexpr std::size_t most_generated = 200;

// The tokens of its first row, prompt and text.
Result<std::vector<std::int32_t>> tokens_of(session::Session& session, const session::StepDetail& detail) {
    std::vector<std::int32_t> ids;
    for (const session::Artifact& artifact : detail.artifacts) {
        if (artifact.dataset != "/row0/tokens") continue;
        VITRINE_ASSIGN(const auto file, store::ActivationReader::open(session.folder() / artifact.file));
        VITRINE_ASSIGN(const Tensor tokens, file.read(artifact.dataset));
        for (const float id : tokens.data)
            ids.push_back(static_cast<std::int32_t>(id));
    }
    return ids;
}

// Nothing where the step cannot be read any more: one damaged file does not hide the others.
std::optional<Generation> read(session::Session& session, const session::Step& step) {
    const auto spec = parse_json(step.spec, "step");
    if (!spec || !spec->is_object() || !spec->contains("generate")) return std::nullopt;
    auto generate = run::generate_spec_from_json((*spec)["generate"]);
    const auto detail = session.step(step.seq);
    if (!generate || generate->prompt.rows.empty() || !detail) return std::nullopt;
    const auto ids = tokens_of(session, *detail);
    const std::size_t prompt = generate->prompt.rows.front().ids.size();
    if (!ids || ids->size() <= prompt) return std::nullopt;
    Generation out;
    out.step = step.seq;
    for (const session::StepInput& input : detail->inputs)
        if (input.role == "parent" && input.step) out.parent = *input.step;
    out.spec = std::move(*generate);
    out.ids.assign(ids->begin() + static_cast<std::ptrdiff_t>(prompt), ids->end());
    if (step.model) out.weights = step.model->weights_hash;
    return out;
}

} // namespace

Generations::Generations(Bench& bench, QObject* parent) : QObject(parent), bench_(bench) {
    connect(&bench_, &Bench::model_changed, this, &Generations::reload);
}

void Generations::reload() {
    bench_.post(
        this, "generations", "read what was generated",
        [](engine::Engine& engine, const CancelToken&, const Progress&) -> Result<std::vector<Generation>> {
            std::vector<Generation> out;
            if (!engine.session()) return out;
            VITRINE_ASSIGN(const auto steps, engine.session()->steps());
            for (std::size_t i = steps.size(); i-- > 0 && out.size() < most_generated;)
                if (steps[i].kind == "generate" && steps[i].status == session::StepStatus::done)
                    if (auto one = read(*engine.session(), steps[i])) out.push_back(std::move(*one));
            return out;
        },
        [this](Result<std::vector<Generation>> read) {
            if (!read) {
                emit refused(QString::fromStdString(read.error().message));
                return;
            }
            all_.clear();
            for (Generation& one : *read)
                if (!bench_.model() || one.weights == bench_.model()->model.weights_hash)
                    all_.emplace(one.step, std::move(one));
            find_partings();
            emit changed();
        });
}

void Generations::find_partings() {
    for (auto& [step, one] : all_) {
        const Generation* parent = find(one.parent);
        if (!parent) continue;
        const auto [ours, theirs] =
            std::mismatch(one.ids.begin(), one.ids.end(), parent->ids.begin(), parent->ids.end());
        one.left_at = static_cast<int>(ours - one.ids.begin());
    }
}

const Generation* Generations::find(std::int64_t step) const {
    const auto found = all_.find(step);
    return found == all_.end() ? nullptr : &found->second;
}

void Generations::keep(Generation generation) {
    const std::int64_t step = generation.step;
    all_.insert_or_assign(step, std::move(generation));
    find_partings();
    emit changed();
    emit added(step);
}

void Generations::add(const engine::GenerateRecord& record, std::int64_t parent) {
    if (record.result.rows.empty() || record.result.rows.front().new_ids.empty()) return;
    Generation out;
    out.step = record.step != 0 ? record.step : --unrecorded_;
    out.parent = parent;
    out.spec = record.spec;
    out.ids = record.result.rows.front().new_ids;
    if (bench_.model()) out.weights = bench_.model()->model.weights_hash;
    keep(std::move(out));
}

void Generations::branch(std::int64_t from, int at, std::int32_t id, int tokens) {
    const Generation* origin = find(from);
    const auto model = bench_.model();
    if (!origin || !model || at < 0 || at >= static_cast<int>(origin->ids.size())) return;
    if (origin->ids[static_cast<std::size_t>(at)] == id) return;
    run::GenerateSpec spec = origin->spec;
    spec.forced.clear();
    for (int step = 0; step < at; ++step)
        spec.forced[step] = origin->ids[static_cast<std::size_t>(step)];
    spec.forced[at] = id;
    spec.max_new = at + 1 + tokens;
    if (const int context = model->model.spec.context; context > 0)
        spec.max_new =
            std::min(spec.max_new, context - static_cast<int>(spec.prompt.rows.front().ids.size()));
    const Json wanted = run::to_json(spec);
    for (const auto& [step, one] : all_)
        if (one.parent == from && run::to_json(one.spec) == wanted) {
            emit added(step);
            return;
        }
    const QPointer<Generations> self(this);
    Bench* const there = &bench_; // outlives its jobs
    bench_.post(
        this, "generate", "continue a branch",
        [=](engine::Engine& engine, const CancelToken& cancel,
            const Progress& progress) -> Result<engine::GenerateRecord> {
            int drawn = 0;
            return engine.generate(
                *model, spec,
                [&](const run::GenerateStep& step) {
                    if (step.row != 0) return;
                    progress(static_cast<double>(++drawn) / spec.max_new, "continuing a branch");
                    QMetaObject::invokeMethod(
                        there,
                        [self, step] {
                            if (self) emit self->drew(step);
                        },
                        Qt::QueuedConnection);
                },
                cancel, progress, from > 0 ? from : 0);
        },
        [this, model, from](const Result<engine::GenerateRecord>& answer) {
            if (model != bench_.model()) return;
            if (!answer) {
                if (answer.error().code != Code::cancelled)
                    emit refused(QString::fromStdString(answer.error().message));
                return;
            }
            add(*answer, from);
            if (answer->step != 0) emit recorded();
        });
}

} // namespace vitrine::window
