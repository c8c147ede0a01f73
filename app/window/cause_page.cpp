#include "app/window/cause_page.h"

#include <utility>

#include "app/window/cause_rows.h"
#include "app/window/shown_record.h"
#include "views/cause/effect_pictures.h"
#include "views/figure/figure_for.h"

namespace vitrine::window {

namespace {

constexpr std::size_t circuit_size = 8; ///< of the strongest heads

Panel effects_panel() {
    return {{QStringLiteral("patch"), QStringLiteral("ablate"), QStringLiteral("path-patch"),
             QStringLiteral("causal-trace"), QStringLiteral("skip-sublayers"), QStringLiteral("selectivity")},
            {},
            [](const engine::AnalysisRecord& record, const figure::Theme& theme) -> figure::PicturePtr {
                if (auto own = views::effects_picture(record.results, record.parameters, theme)) return own;
                return figure::figure_for(record.results, theme);
            }};
}

Panel heads_panel() { return {{QStringLiteral("ablate")}, {QStringLiteral("effect")}}; }

Panel circuit_panel() {
    return {{QStringLiteral("circuit-faithfulness")},
            {},
            [](const engine::AnalysisRecord& record, const figure::Theme& theme) -> figure::PicturePtr {
                if (auto own = views::circuit_picture(record.results)) return own;
                return figure::figure_for(record.results, theme);
            }};
}

} // namespace

CausePage::CausePage(Bench& bench, views::Desk& desk, Runner& runner, QWidget* parent)
    : PanelPage(bench, desk, runner, QStringLiteral("cause"), effects_panel(),
                {heads_panel(), circuit_panel()}, parent),
      cause_bench_(bench), cause_runner_(runner), pair_(new views::PairPanel(desk, this)) {
    set_header(pair_);
    for (AnalysisPage* panel : panels()) {
        panel->set_live(false); // a sweep runs when it is asked for
        panel->set_source(source_of({}, {}));
    }
    main()->keep_short({QStringLiteral("site"), QStringLiteral("kind"), QStringLiteral("axes"),
                        QStringLiteral("direction"), QStringLiteral("metric"), QStringLiteral("layer"),
                        QStringLiteral("receiver"), QStringLiteral("corruption")});
    connect(pair_, &views::PairPanel::behaviour_chosen, this, &CausePage::take_behaviour);
    connect(pair_, &views::PairPanel::changed, this, &CausePage::take_pair);
    connect(pair_, &views::PairPanel::measure, this, &CausePage::measure);
    connect(&bench, &Bench::model_changed, this, [this] {
        if (isVisible()) take_model();
    });
    connect(beside(0), &AnalysisPage::finished, this, &CausePage::strongest_as_circuit);
}

void CausePage::showEvent(QShowEvent* event) {
    PanelPage::showEvent(event);
    take_model();
}

void CausePage::take_model() {
    const auto model = cause_bench_.model();
    if (!model || model->model.weights_hash == known_model_) return;
    known_model_ = model->model.weights_hash;
    const auto behaviours = behaviours_for(*model);
    pair_->show_behaviours(behaviours);
    if (remembered_.is_object()) return arrange(std::exchange(remembered_, Json()));
    if (pair_->behaviour().isEmpty() && pair_->pair() == views::Pair() && !behaviours.empty())
        pair_->choose(behaviours.front().name);
    else
        take_behaviour(pair_->behaviour());
}

void CausePage::take_behaviour(const QString& name) {
    const auto model = cause_bench_.model();
    if (!model || name.isEmpty()) return take_pair();
    auto pairs = pairs_of(*model, name.toStdString());
    if (!pairs) return pair_->show_tokens({}, {}, QString::fromStdString(pairs.error().message));
    pair_->show_pairs(std::move(pairs->pairs), pairs->left_out);
}

void CausePage::take_pair() {
    const auto model = cause_bench_.model();
    if (!model) return;
    const views::Pair pair = pair_->pair();
    const QString set = pair_->whole_set() ? pair_->behaviour() : QString();
    for (AnalysisPage* panel : panels())
        panel->set_source(source_of(pair, set));
    QString problem;
    const auto tokens = [&](const QString& text) {
        QStringList out;
        if (text.isEmpty()) return out;
        const auto row = engine::encode_row(*model, text.toStdString(), cause_runner_.specials());
        if (!row) {
            problem = QString::fromStdString(row.error().message);
            return out;
        }
        for (const std::int32_t id : row->ids)
            out << token_of(*model, id).shown;
        return out;
    };
    const QStringList clean = tokens(pair.clean);
    const QStringList corrupted = tokens(pair.corrupted);
    if (problem.isEmpty() && !pair.clean.isEmpty())
        if (const auto rows = rows_of_pair(*model, pair, cause_runner_.specials()); !rows)
            problem = QString::fromStdString(rows.error().message);
    if (problem.isEmpty() && !corrupted.isEmpty() && clean.size() != corrupted.size())
        problem = tr("Clean is %1 tokens and corrupted %2: patching needs equally many.")
                      .arg(clean.size())
                      .arg(corrupted.size());
    pair_->show_tokens(clean, corrupted, problem);
    emit state_changed();
}

void CausePage::measure() {
    take_pair();
    main()->run(true);
    beside(0)->run(false);
}

/// The circuit so far: the heads whose loss costs most, unless the user has named others.
void CausePage::strongest_as_circuit() {
    const engine::AnalysisRecord* record = beside(0)->shown();
    if (record == nullptr) return;
    std::string names;
    for (const std::string& name : views::strongest(
             record->results, record->parameters.value("metric", std::string("logit-diff")), circuit_size))
        names += (names.empty() ? "" : ",") + name;
    if (names.empty()) return;
    const Json now = beside(1)->values().value("circuit", Json());
    if (now.is_null() || now == own_circuit_) {
        own_circuit_ = names;
        beside(1)->follow("circuit", names);
    }
    beside(1)->run(false);
}

Json CausePage::arrangement() const {
    Json out = PanelPage::arrangement();
    const views::Pair pair = pair_->pair();
    out["behaviour"] = pair_->behaviour().toStdString();
    out["whole"] = pair_->whole_set();
    out["pair"] = {{"clean", pair.clean.toStdString()},
                   {"corrupted", pair.corrupted.toStdString()},
                   {"answer", pair.answer.toStdString()},
                   {"distractor", pair.distractor.toStdString()}};
    return out;
}

void CausePage::arrange(const Json& arrangement) {
    PanelPage::arrange(arrangement);
    if (!arrangement.is_object() || !arrangement.contains("pair")) return;
    if (known_model_.empty()) { // its behaviours are not listed yet
        remembered_ = arrangement;
        return;
    }
    remembered_ = Json();
    const auto text = [](const Json& object, const char* name) {
        const auto found = object.find(name);
        return found != object.end() && found->is_string() ? QString::fromStdString(found->get<std::string>())
                                                           : QString();
    };
    pair_->choose(text(arrangement, "behaviour"));
    const Json& pair = arrangement["pair"];
    if (pair.is_object() && !text(pair, "clean").isEmpty())
        pair_->set_pair(
            {text(pair, "clean"), text(pair, "corrupted"), text(pair, "answer"), text(pair, "distractor")});
    pair_->set_whole(arrangement.value("whole", false));
}

} // namespace vitrine::window
