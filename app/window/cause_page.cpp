#include "app/window/cause_page.h"

#include <QFileInfo>
#include <QMenu>
#include <utility>

#include "app/window/cause_rows.h"
#include "app/window/shown_record.h"
#include "views/cause/effect_pictures.h"
#include "views/cause/place_on_map.h"
#include "views/figure/figure_for.h"

namespace vitrine::window {

namespace {

constexpr std::size_t circuit_size = 8; ///< of the strongest heads

Panel effects_panel() {
    return {{QStringLiteral("patch"), QStringLiteral("ablate"), QStringLiteral("path-patch"),
             QStringLiteral("causal-trace"), QStringLiteral("skip-sublayers"), QStringLiteral("selectivity"),
             QStringLiteral("replaced-operations")},
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
      cause_bench_(bench), cause_desk_(desk), cause_runner_(runner), pair_(new views::PairPanel(desk, this)),
      circuit_bar_(new views::CircuitBar(desk, this)) {
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
    connect(pair_, &views::PairPanel::table_wanted, this, [this] { show_table(); });
    connect(&bench, &Bench::model_changed, this, [this] {
        if (isVisible()) take_model();
    });
    connect(beside(0), &AnalysisPage::finished, this, &CausePage::strongest_as_circuit);
    beside(1)->put_above(circuit_bar_);
    connect(beside(1), &AnalysisPage::finished, this, &CausePage::show_circuit);
    connect(beside(1), &AnalysisPage::state_changed, this, &CausePage::show_circuit);
    connect(circuit_bar_, &views::CircuitBar::remove_wanted, this, &CausePage::toggle_in_circuit);
    connect(circuit_bar_, &views::CircuitBar::strongest_wanted, this, [this] {
        own_circuit_ = strongest_names();
        set_circuit(own_circuit_.get<std::string>());
    });
    for (AnalysisPage* page : {main(), beside(0)})
        connect(page->canvas(), &views::FigureCanvas::menu_opens, this,
                [this, page](QMenu& menu, const QPointF& at) { add_actions(*page, menu, at); });
}

void CausePage::showEvent(QShowEvent* event) {
    PanelPage::showEvent(event);
    take_model();
}

void CausePage::take_model() {
    const auto model = cause_bench_.model();
    if (!model || model->model.weights_hash == known_model_) return;
    known_model_ = model->model.weights_hash;
    table_.reset(); // it knows the other model
    const auto behaviours = behaviours_for(*model);
    list_behaviours();
    if (remembered_.is_object()) return arrange(std::exchange(remembered_, Json()));
    if (pair_->behaviour().isEmpty() && pair_->pair() == views::Pair() && !behaviours.empty())
        pair_->choose(behaviours.front().name);
    else
        take_behaviour(pair_->behaviour());
}

void CausePage::list_behaviours() {
    if (!cause_bench_.model()) return;
    auto behaviours = behaviours_for(*cause_bench_.model());
    for (const QString& file : own_sets_)
        behaviours.push_back({file, QFileInfo(file).fileName(), tr("A set of your own: %1").arg(file)});
    pair_->show_behaviours(behaviours);
}

views::PairTable& CausePage::show_table() {
    const auto model = cause_bench_.model();
    if (!table_) {
        table_ = std::make_unique<views::PairTable>(outside_of(model), this);
        connect(table_.get(), &views::PairTable::set_wanted, this, &CausePage::take_own_set);
    }
    const QString name = pair_->behaviour();
    if (is_own_set(name)) {
        if (auto read = pairs_of_file(name.toStdString())) {
            table_->show_set(name, *read);
        } else { // what cannot be read is not written over
            table_->show_set({}, {});
            table_->say(QString::fromStdString(read.error().message));
        }
    } else if (auto set = name.isEmpty() || !model ? FittingPairs{} : pairs_of(*model, name.toStdString())) {
        if (set->pairs.empty() && pair_->pair() != views::Pair()) set->pairs = {pair_->pair()};
        table_->show_set({}, set->pairs);
    }
    table_->open();
    return *table_;
}

void CausePage::take_own_set(const QString& file) {
    if (!own_sets_.contains(file)) own_sets_ << file;
    list_behaviours();
    if (pair_->behaviour() == file)
        take_behaviour(file);
    else
        pair_->choose(file);
    emit state_changed();
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

// ---- answer and distractor ----

void CausePage::ready_for_tokens() {
    if (pair_->pair().clean.isEmpty() && cause_desk_.a()) {
        views::Pair pair = pair_->pair();
        pair.clean = cause_desk_.a()->prompt;
        pair_->set_pair(pair);
    }
}

void CausePage::use_as_answer(std::int32_t id) {
    if (!cause_bench_.model()) return;
    ready_for_tokens();
    pair_->set_answer(field_of_token(*cause_bench_.model(), id));
}

void CausePage::use_as_distractor(std::int32_t id) {
    if (!cause_bench_.model()) return;
    ready_for_tokens();
    pair_->set_distractor(field_of_token(*cause_bench_.model(), id));
}

void CausePage::take_token(std::int32_t id) {
    if (!cause_bench_.model() || !pair_->takes_token()) return;
    pair_->take_token(field_of_token(*cause_bench_.model(), id));
}

// ---- the circuit so far ----

std::string CausePage::strongest_names() {
    const engine::AnalysisRecord* record = beside(0)->shown();
    if (record == nullptr) return {};
    std::string names;
    for (const std::string& name : views::strongest(
             record->results, record->parameters.value("metric", std::string("logit-diff")), circuit_size))
        names += (names.empty() ? "" : ",") + name;
    return names;
}

/// The heads whose loss costs most, unless the user has named others.
void CausePage::strongest_as_circuit() {
    const std::string names = strongest_names();
    if (names.empty()) return;
    const Json now = beside(1)->values().value("circuit", Json());
    if (now.is_null() || now == own_circuit_) {
        own_circuit_ = names;
        beside(1)->follow("circuit", names);
    }
    beside(1)->run(false);
}

QStringList CausePage::circuit() const {
    const Json now = beside(1)->values().value("circuit", Json());
    QStringList out;
    if (!now.is_string()) return out;
    for (const QString& name : QString::fromStdString(now.get<std::string>()).split(QLatin1Char(',')))
        if (const QString member = name.trimmed(); !member.isEmpty()) out << member;
    return out;
}

void CausePage::set_circuit(const std::string& names) {
    beside(1)->follow("circuit", names);
    if (names.find('M') != std::string::npos) beside(1)->follow("nodes", "heads-and-mlps");
    if (!names.empty()) beside(1)->run(false);
    show_circuit();
    emit state_changed();
}

void CausePage::toggle_in_circuit(const QString& member) {
    QStringList members = circuit();
    if (!members.removeOne(member)) members << member;
    set_circuit(members.join(QLatin1Char(',')).toStdString());
}

void CausePage::show_circuit() {
    const QStringList members = circuit();
    std::vector<double> faithfulness;
    const engine::AnalysisRecord* record = beside(1)->shown();
    if (record != nullptr) {
        QStringList measured;
        for (const Json& name : record->parameters.value("circuit", Json::array()))
            if (name.is_string()) measured << QString::fromStdString(name.get<std::string>());
        for (const engine::ResultValue& result : record->results)
            if (result.name == "faithfulness" && measured == members) faithfulness = result.data;
    }
    circuit_bar_->show_circuit(members, std::move(faithfulness),
                               !members.isEmpty() &&
                                   beside(1)->values().value("circuit", Json()) != own_circuit_);
}

// What only this page can do with a cell of its maps.
void CausePage::add_actions(AnalysisPage& page, QMenu& menu, const QPointF& at) {
    const engine::AnalysisRecord* record = page.shown();
    const figure::PicturePtr& picture = page.canvas()->picture();
    if (record == nullptr || !picture) return;
    const figure::Spot spot = picture->spot_at(at, page.canvas()->frame(), cause_desk_.theme());
    const views::Component component = views::component_at(record->id, record->parameters, spot);
    if (component.name.isEmpty()) return;
    views::EditList& edits = cause_desk_.edits;
    const int known = edits.find(component.edit);
    const bool on = known >= 0 && edits.all()[static_cast<std::size_t>(known)].on;
    if (spot.layer < 0 || spot.head < 0) // heads have theirs in every view
        menu.addAction(on ? tr("Put %1 back").arg(component.name) : tr("Ablate %1").arg(component.name), this,
                       [&edits, known, on, text = component.edit] {
                           if (on)
                               edits.set_on(known, false);
                           else
                               edits.add(text);
                       });
    if (!component.member.isEmpty())
        menu.addAction(circuit().contains(component.member)
                           ? tr("Remove %1 from the circuit").arg(component.member)
                           : tr("Add %1 to the circuit").arg(component.member),
                       this, [this, member = component.member] { toggle_in_circuit(member); });
    menu.addSeparator();
}

Json CausePage::arrangement() const {
    Json out = PanelPage::arrangement();
    const views::Pair pair = pair_->pair();
    out["behaviour"] = pair_->behaviour().toStdString();
    out["whole"] = pair_->whole_set();
    for (const QString& file : own_sets_)
        out["own_sets"].push_back(file.toStdString());
    out["own_circuit"] = own_circuit_;
    out["pair"] = {{"clean", pair.clean.toStdString()},
                   {"corrupted", pair.corrupted.toStdString()},
                   {"answer", pair.answer.toStdString()},
                   {"distractor", pair.distractor.toStdString()}};
    return out;
}

void CausePage::arrange(const Json& arrangement) {
    PanelPage::arrange(arrangement);
    if (!arrangement.is_object() || !arrangement.contains("pair")) return;
    if (const auto own = arrangement.find("own_circuit"); own != arrangement.end() && own->is_string())
        own_circuit_ = *own;
    show_circuit();
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
    own_sets_.clear();
    for (const Json& file : arrangement.value("own_sets", Json::array()))
        if (file.is_string()) own_sets_ << QString::fromStdString(file.get<std::string>());
    list_behaviours();
    pair_->choose(text(arrangement, "behaviour"));
    const Json& pair = arrangement["pair"];
    if (pair.is_object() && !text(pair, "clean").isEmpty())
        pair_->set_pair(
            {text(pair, "clean"), text(pair, "corrupted"), text(pair, "answer"), text(pair, "distractor")});
    pair_->set_whole(arrangement.value("whole", false));
}

} // namespace vitrine::window
