#include "app/window/attention_measures.h"

#include <QElapsedTimer>
#include <algorithm>
#include <fmt/format.h>

#include "app/window/edit_texts.h"
#include "app/window/side_analysis.h"
#include "views/attention/sinks.h"

namespace vitrine::window {

namespace {

/// One side of what is shown, as another run of it needs it.
struct LongSide {
    run::RunSpec spec; ///< its edits are written in `edits`
    QStringList edits;
    std::shared_ptr<attention::HeadStore> store;
};

LongSide long_side(const views::ShownRun& run) {
    LongSide out;
    const AnalysedSide side = side_of(run);
    out.spec.rows = {side.row};
    if (!run.beside.empty()) out.spec.rows.push_back({run.beside, {}});
    out.spec.choice = run::PositionChoice::list; // of no position: the run ends behind its last capture
    out.spec.loss = false;
    out.edits = side.edits;
    out.store = run.store;
    return out;
}

/// Layers whose values are captured at once.
int layers_at_once(const model::ModelSpec& model, int tokens) {
    constexpr std::int64_t budget = std::int64_t{64} << 20;
    const std::int64_t layer =
        std::int64_t{tokens} * model.kv_heads * model.d_head * static_cast<std::int64_t>(sizeof(float));
    return static_cast<int>(std::max<std::int64_t>(1, budget / std::max<std::int64_t>(1, layer)));
}

/// Measures the values of some layers, which a long run does not keep, by running it again.
Status read_norms(engine::Engine& engine, engine::OpenModel& model, LongSide side, int first, int count,
                  tokenizer::Specials specials, const CancelToken& cancel, const Progress& progress) {
    bool missing = false;
    for (int layer = first; layer < first + count; ++layer)
        missing = missing || (side.store->has_layer(layer) && !side.store->has_norms(layer));
    if (!missing) return {};
    for (int layer = first; layer < first + count; ++layer)
        side.spec.captures.push_back(fmt::format("blocks.{}.attn.hook_v", layer));
    VITRINE_ASSIGN(const engine::Changes changes, changes_of(model, side.edits, specials));
    side.spec.edits = changes.edits;
    side.spec.attention = changes.attention;
    VITRINE_ASSIGN(const engine::RunRecord made, engine.run(model, side.spec, cancel, progress, false));
    ThreadPool pool;
    for (int layer = first; layer < first + count; ++layer) {
        VITRINE_TRY(cancel.check());
        const run::Captured* v = made.result.rows.front().find(fmt::format("blocks.{}.attn.hook_v", layer));
        const model::WeightId w_o = model.model.find(fmt::format("blocks.{}.attn.W_O", layer));
        if (v == nullptr || w_o == model::no_weight)
            return fail(Code::unsupported,
                        fmt::format("Layer {} has no values to weigh its attention with.", layer));
        side.store->set_norms(layer,
                              std::make_shared<const attention::ValueNorms>(attention::value_norms(
                                  model.model.spec, v->tensor, model::widened(model.model.at(w_o)), pool)));
    }
    return {};
}

} // namespace

AttentionMeasures::AttentionMeasures(Bench& bench, views::Desk& desk, Runner& runner,
                                     views::AttentionPage& page, QObject* parent)
    : QObject(parent), bench_(bench), desk_(desk), runner_(runner), page_(page) {
    connect(&page_, &views::AttentionPage::measure_wanted, this, [this] { ask(false); });
    connect(&page_, &views::AttentionPage::briefs_wanted, this, &AttentionMeasures::read_briefs);
}

// One head after another, those of the selected layer first.
void AttentionMeasures::read_briefs() {
    const views::AttentionData& data = page_.data();
    const auto model = bench_.model();
    if (!data.store || !model) return;
    const attention::Cells cells = views::cells_of(data.measure);
    std::vector<LongSide> sides; // whose values are wanted
    for (const views::RunPtr& run : {data.run, data.minus}) {
        if (!run || cells != attention::Cells::value_weighted) continue;
        if (run->model != QString::fromStdString(model->request.name)) {
            page_.refuse_measure(tr("Values of a long text are measured by running it again, and %1 is not "
                                    "the model that is open: open it first.")
                                     .arg(run->model));
            return;
        }
        sides.push_back(long_side(*run));
    }
    const QPointer<AttentionMeasures> self(this);
    Bench* const there = &bench_; // outlives its jobs
    const bool without = cells == attention::Cells::weight && !data.difference && page_.options().sinks_out;
    bench_.post(
        this, "briefs", "read all heads",
        [=, store = data.store, selected = desk_.selection.place().layer, specials = runner_.specials()](
            engine::Engine& engine, const CancelToken& cancel, const Progress& progress) -> Status {
            ThreadPool pool;
            QElapsedTimer since_shown;
            since_shown.start();
            const auto show = [&] {
                since_shown.restart();
                QMetaObject::invokeMethod(
                    there,
                    [self] {
                        if (self) self->page_.show_briefs();
                    },
                    Qt::QueuedConnection);
            };
            const int layers = store->layers(), heads = store->heads();
            const int at_once = sides.empty() ? layers : layers_at_once(model->model.spec, store->tokens());
            const int portions = (layers + at_once - 1) / at_once;
            for (int i = 0; i < portions; ++i) {
                const int first = (selected / at_once + i) % portions * at_once;
                const int count = std::min(at_once, layers - first);
                for (const LongSide& side : sides)
                    VITRINE_TRY(read_norms(engine, *model, side, first, count, specials, cancel, progress));
                if (!sides.empty()) show();
                for (int done = 0; done < count * heads; ++done) {
                    const int layer = first + (std::max(selected - first, 0) + done / heads) % count;
                    const int head = done % heads;
                    if (!store->has_layer(layer)) continue;
                    VITRINE_TRY(store->read_brief(layer, head, {cells}, pool, cancel));
                    if (without) {
                        const auto sinks = views::sinks_by(store->brief(layer, head)->alpha);
                        if (std::find(sinks.begin(), sinks.end(), true) != sinks.end())
                            VITRINE_TRY(store->read_brief(layer, head, {cells, sinks}, pool, cancel));
                    }
                    if (progress)
                        progress(static_cast<double>(i * at_once * heads + done + 1) / (layers * heads),
                                 fmt::format("L{} H{}", layer, head));
                    if (since_shown.elapsed() >= 300) show();
                }
            }
            return {};
        },
        [this](const Status& answer) {
            page_.show_briefs();
            if (!answer && answer.error().code != Code::cancelled)
                page_.refuse_measure(QString::fromStdString(answer.error().message));
        },
        engine::Priority::background);
}

void AttentionMeasures::record_shown() {
    // What a long text shows is recorded with its run.
    if (page_.options().measure != views::Measure::weight && !page_.data().store) ask(true);
}

void AttentionMeasures::ask(bool record) {
    const auto model = bench_.model();
    const auto sides = analysed_sides(desk_);
    if (!model || sides.empty()) return;
    const views::Measure measure = page_.options().measure;
    const views::MeasureAnalysis wanted = views::analysis_of(measure);
    QString options;
    for (const auto& [name, value] : wanted.values.items())
        options += QStringLiteral(" --set ") +
                   views::shell_word(QString::fromStdString(name + "=" + value.get<std::string>()));
    const QString command = command_of_sides(*model, sides, wanted.id, options);
    bench_.post(
        this, record ? "record measure" : "measure", "analysis " + wanted.id.toStdString(),
        [=, id = wanted.id.toStdString(), values = wanted.values, specials = runner_.specials()](
            engine::Engine& engine, const CancelToken& cancel, const Progress& progress) {
            return analyse_sides(engine, *model, id, values, sides, {}, specials, cancel, progress, record);
        },
        [this, measure, command, record](const Result<engine::AnalysisRecord>& answer) {
            if (record) {
                emit recorded();
                return;
            }
            if (measure != page_.options().measure) return;
            if (answer)
                page_.show_measured(answer->results, command);
            else if (answer.error().code != Code::cancelled)
                page_.refuse_measure(QString::fromStdString(answer.error().message));
        },
        record ? engine::Priority::normal : engine::Priority::background);
}

} // namespace vitrine::window
