#include "app/window/lanes_page.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QShortcut>
#include <QSplitter>
#include <QStackedWidget>
#include <QToolButton>
#include <QTreeWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "app/window/side_analysis.h"
#include "core/engine/analysis_parameters.h"
#include "core/run/edit_text.h"
#include "views/attention/attention_pictures.h"
#include "views/figure/lanes_for.h"

namespace vitrine::window {

namespace {

constexpr const char* id = "generation-lanes";
constexpr int step_role = Qt::UserRole;
constexpr int usual_tokens = 16;
constexpr std::array of_sampling = {"max_new", "temperature", "top_k", "top_p", "seed"};

const engine::ResultValue* named(const std::vector<engine::ResultValue>& results, const std::string& name) {
    for (const engine::ResultValue& result : results)
        if (result.name == name) return &result;
    return nullptr;
}

} // namespace

LanesPage::LanesPage(Bench& bench, views::Desk& desk, Runner& runner, QWidget* parent)
    : QWidget(parent), bench_(bench), desk_(desk), runner_(runner), generations_(bench),
      title_(new QLabel(tr("<b>Lanes</b>"), this)), generate_(new QPushButton(tr("Generate"), this)),
      difference_(new QToolButton(this)), settings_(new QToolButton(this)),
      form_(new views::AnalysisForm(this)), down_(new QSplitter(Qt::Vertical, this)),
      below_(new QSplitter(Qt::Horizontal, this)), place_(new QStackedWidget(this)),
      canvas_(new views::FigureCanvas(desk, this)), empty_(new views::EmptyState(this)),
      tree_(new QTreeWidget(this)), others_title_(new QLabel(this)), others_(new QListWidget(this)) {
    build();
    connect_parts();
}

void LanesPage::build() {
    generate_->setToolTip(tr("Continues the prompt; the settings say how"));
    difference_->setText(tr("First − second"));
    difference_->setCheckable(true);
    difference_->setToolTip(tr("Of two rows selected in the tree: the lanes of the first minus the second"));
    difference_->setEnabled(false);
    settings_->setText(tr("Settings"));
    settings_->setCheckable(true);
    settings_->setToolTip(tr("How tokens are drawn, and what the lanes show"));
    form_->hide();
    tree_->setHeaderLabels({tr("Branches"), tr("leaves at")});
    tree_->setSelectionMode(QAbstractItemView::ExtendedSelection);
    tree_->setFrameShape(QFrame::NoFrame);
    tree_->setAccessibleName(tr("Branches"));
    tree_->setUniformRowHeights(true);
    tree_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    tree_->header()->setStretchLastSection(false);
    tree_->header()->setSectionResizeMode(0, QHeaderView::Stretch);
    tree_->header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    below_->hide(); // until there is something in it
    others_->setFrameShape(QFrame::NoFrame);
    others_->setAccessibleName(tr("Tokens that could stand there"));
    others_title_->setWordWrap(true);
    auto* head = new QHBoxLayout;
    head->setSpacing(6);
    head->addWidget(title_);
    head->addStretch(1);
    auto* out = new QPushButton(tr("Export…"), this);
    out->setToolTip(tr("The picture as SVG, PDF or PNG; the numbers as CSV, NPZ or HDF5 (E)"));
    connect(out, &QPushButton::clicked, this, [this] {
        if (canvas_->picture()) emit desk_.export_wanted(canvas_);
    });
    head->addWidget(difference_);
    head->addWidget(settings_);
    head->addWidget(out);
    head->addWidget(generate_);
    auto* offers = new QWidget(this);
    auto* offer_column = new QVBoxLayout(offers);
    offer_column->setContentsMargins(0, 2, 0, 0);
    offer_column->setSpacing(2);
    offer_column->addWidget(others_title_);
    offer_column->addWidget(others_, 1);
    below_->addWidget(tree_);
    below_->addWidget(offers);
    below_->setStretchFactor(0, 3);
    below_->setStretchFactor(1, 2);
    below_->setChildrenCollapsible(false);
    place_->addWidget(empty_);
    place_->addWidget(canvas_);
    down_->addWidget(place_);
    down_->addWidget(below_);
    down_->setStretchFactor(0, 1);
    down_->setChildrenCollapsible(false);
    down_->setSizes({1000, 112});
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 4, 4, 0);
    column->setSpacing(4);
    column->addLayout(head);
    column->addWidget(form_);
    column->addWidget(down_, 1);
    say(tr("Nothing has been generated from a prompt yet."), tr("Generate"));
}

void LanesPage::connect_parts() {
    connect(generate_, &QPushButton::clicked, this, [this] { runner_.generate(); });
    connect(empty_, &views::EmptyState::pressed, this, [this] { runner_.generate(); });
    connect(settings_, &QToolButton::toggled, form_, &QWidget::setVisible);
    connect(difference_, &QToolButton::toggled, this, [this] {
        draw();
        emit state_changed();
    });
    connect(form_, &views::AnalysisForm::submitted, this, [this] {
        take_sampling();
        ask();
        emit state_changed();
    });
    connect(&runner_, &Runner::drew, this, [this](const run::GenerateStep& step) {
        if (!is_live_) begin_live(step.pos);
        draw_live(step);
    });
    connect(&generations_, &Generations::drew, this, [this](const run::GenerateStep& step) {
        if (!is_live_) begin_live(step.pos);
        draw_live(step);
    });
    connect(&runner_, &Runner::generation_done, this,
            [this](const std::shared_ptr<const engine::GenerateRecord>& record) {
                generations_.add(*record, 0);
            });
    const auto no_longer_live = [this] { // stopped or refused: what was shown before is shown again
        if (!std::exchange(is_live_, false)) return;
        ask();
    };
    connect(&bench_, &Bench::cancelled, this, no_longer_live);
    connect(&runner_, &Runner::refused, this, [no_longer_live](const QString& sentence) {
        if (!sentence.isEmpty()) no_longer_live();
    });
    connect(&generations_, &Generations::added, this,
            [this](std::int64_t step) { show_generations({step}); });
    connect(&generations_, &Generations::changed, this, [this] {
        std::erase_if(shown_, [this](std::int64_t step) { return !generations_.find(step); });
        std::erase_if(wanted_, [this](std::int64_t step) { return !generations_.find(step); });
        if (!wanted_.empty()) shown_ = std::exchange(wanted_, {});
        if (shown_.empty() && !generations_.all().empty()) shown_ = {generations_.all().rbegin()->first};
        show_tree();
        ask();
    });
    connect(&generations_, &Generations::refused, this, [this](const QString& sentence) {
        is_live_ = false;
        say(sentence, tr("Generate"));
    });
    connect(&generations_, &Generations::recorded, this, &LanesPage::recorded);
    connect(tree_, &QTreeWidget::itemSelectionChanged, this, &LanesPage::tree_selected);
    connect(canvas_, &views::FigureCanvas::clicked, this, [this](const QPointF& at) {
        if (const auto shown = lanes())
            if (const int step = shown->step_at(at, canvas_->frame(), desk_.theme()); step >= 0)
                select_step(step);
    });
    const auto choose = [this](QListWidgetItem* item) {
        if (item) branch_with(static_cast<std::int32_t>(item->data(step_role).toInt()));
    };
    connect(others_, &QListWidget::itemClicked, this, choose);
    auto* enter = new QShortcut(QKeySequence(Qt::Key_Return), others_);
    enter->setContext(Qt::WidgetShortcut);
    connect(enter, &QShortcut::activated, this, [this, choose] { choose(others_->currentItem()); });
    connect(&desk_, &views::Desk::run_changed, this, &LanesPage::draw);
    connect(&desk_, &views::Desk::theme_changed, this, &LanesPage::draw);
}

void LanesPage::say(const QString& sentence, const QString& button) {
    empty_->say(sentence, button);
    place_->setCurrentWidget(empty_);
    emit finished();
}

// ---- settings ----

void LanesPage::set_manifests(const Json& manifests) {
    for (const Json& manifest : manifests)
        if (manifest.at("id") == id) manifest_ = manifest;
    if (manifest_.is_null()) return;
    Json form = manifest_;
    Json fields = Json::array();
    for (const Json& parameter : manifest_["parameters"]) // these two are what the tree chooses
        if (parameter["name"] != "branch" && parameter["name"] != "continuation") fields.push_back(parameter);
    for (Json& field : fields)
        if (field["name"] == "max_new") field["default"] = usual_tokens;
    form["parameters"] = std::move(fields);
    form_->show_manifest(form);
    title_->setToolTip(QString::fromStdString(manifest_.value("summary", std::string())));
    if (!pending_.is_null()) restore(std::exchange(pending_, Json()));
    take_sampling();
    ask();
}

Result<Json> LanesPage::parameters() const {
    if (manifest_.is_null()) return fail(Code::internal, "This analysis does not exist in this build.");
    Json given = form_->values();
    if (!given.contains("max_new")) given["max_new"] = usual_tokens;
    return engine::check_parameters(manifest_, given, {});
}

void LanesPage::take_sampling() {
    const auto checked = parameters();
    if (!checked) {
        say(QString::fromStdString(checked.error().message));
        return;
    }
    runner_.set_sampling({(*checked)["max_new"].get<int>(), (*checked)["temperature"].get<double>(),
                          (*checked)["top_k"].get<int>(), (*checked)["top_p"].get<double>(),
                          (*checked)["seed"].get<std::uint64_t>()});
}

Json LanesPage::state() const {
    if (manifest_.is_null()) return pending_;
    Json shown = Json::array();
    for (const std::int64_t step : wanted_.empty() ? shown_ : wanted_)
        if (step > 0) shown.push_back(step);
    return {{"values", form_->values()},
            {"shown", std::move(shown)},
            {"step", step_},
            {"difference", difference_->isChecked()}};
}

void LanesPage::restore(const Json& state) {
    if (!state.is_object()) return;
    if (manifest_.is_null()) {
        pending_ = state;
        return;
    }
    if (state.contains("values")) form_->set_values(state["values"]);
    take_sampling();
    wanted_.clear();
    if (const auto shown = state.find("shown"); shown != state.end() && shown->is_array())
        for (const Json& step : *shown)
            if (step.is_number_integer()) wanted_.push_back(step.get<std::int64_t>());
    if (const auto step = state.find("step"); step != state.end() && step->is_number_integer())
        step_ = step->get<int>();
    if (const auto on = state.find("difference"); on != state.end() && on->is_boolean())
        difference_->setChecked(on->get<bool>());
    generations_.reload();
}

// ---- lanes ----

Json LanesPage::lane_values(const Generation& of) const {
    Json values = form_->values();
    for (const char* name : of_sampling)
        values.erase(name);
    values["continuation"] = of.ids;
    return values;
}

std::string LanesPage::key_of(const Generation& of) const {
    return fmt::format("{} {} {}", of.step, of.weights, dump_json(lane_values(of)));
}

void LanesPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    ask();
}

void LanesPage::show_generations(const std::vector<std::int64_t>& steps) {
    wanted_.clear();
    shown_.clear();
    for (const std::int64_t step : steps)
        if (generations_.find(step) && shown_.size() < figure::Lanes::most_runs) shown_.push_back(step);
    is_live_ = false;
    show_tree();
    ask();
    emit state_changed();
}

void LanesPage::ask() {
    if (!isVisible() || manifest_.is_null() || !bench_.model()) return;
    difference_->setEnabled(shown_.size() == 2);
    if (shown_.empty()) {
        if (!is_live_) say(tr("Nothing has been generated from a prompt yet."), tr("Generate"));
        return;
    }
    for (const std::int64_t step : shown_) {
        const Generation* of = generations_.find(step);
        if (of && !records_.contains(key_of(*of))) {
            compute(*of, false); // the others follow when it is there
            return;
        }
    }
    draw();
}

// The text is given to the analysis token by token, so that interventions mean the same positions as they
// did.
void LanesPage::compute(const Generation& of, bool record) {
    const auto model = bench_.model();
    bench_.post(
        this, record ? "record lanes" : "lanes", "analysis generation-lanes",
        [model, values = lane_values(of), row = of.spec.prompt.rows.front(), edits = of.spec.prompt.edits,
         record](engine::Engine& engine, const CancelToken& cancel, const Progress& progress) {
            return engine.analyze(*model, id, values, {row}, cancel, progress, record, edits);
        },
        [this, key = key_of(of), record](const Result<engine::AnalysisRecord>& answer) {
            if (record) {
                emit recorded();
            } else if (answer) {
                records_.insert_or_assign(key, *answer);
                ask();
            } else if (answer.error().code != Code::cancelled) {
                say(QString::fromStdString(answer.error().message));
            }
        },
        record ? engine::Priority::normal : engine::Priority::background);
}

void LanesPage::record_shown() {
    if (place_->currentWidget() != canvas_) return;
    for (const std::int64_t step : shown_)
        if (const Generation* of = generations_.find(step)) compute(*of, true);
}

std::shared_ptr<const figure::Lanes> LanesPage::lanes() const {
    return place_->currentWidget() == canvas_
               ? std::dynamic_pointer_cast<const figure::Lanes>(canvas_->picture())
               : nullptr;
}

void LanesPage::draw() {
    if (is_live_ || shown_.empty()) return;
    std::vector<figure::LaneSource> sources;
    const engine::AnalysisRecord* first = nullptr;
    QStringList commands;
    std::vector<engine::ResultValue> all;
    for (const std::int64_t step : shown_) {
        const Generation* of = generations_.find(step);
        const auto record = of ? records_.find(key_of(*of)) : records_.end();
        if (record == records_.end()) return; // on its way
        if (!first) first = &record->second;
        sources.push_back({name_of(*of), &record->second.results});
        commands << command_of(*of);
    }
    const double threshold = first->parameters.value("threshold", NAN);
    const bool two = difference_->isChecked() && sources.size() == 2;
    auto picture = figure::lanes_for(sources, threshold, two);
    if (!picture) {
        say(tr("These generations have no step in common."));
        return;
    }
    if (sources.size() == 1) picture->said = QString();
    // Positions are linked with the selection where the text that is shown begins with this one.
    const Generation& of = *generations_.find(shown_.front());
    const std::vector<std::int32_t>& prompt = of.spec.prompt.rows.front().ids;
    const views::RunPtr& run = desk_.shown();
    picture->linked = run && run->size() >= static_cast<int>(prompt.size());
    for (std::size_t i = 0; run && i < prompt.size() + of.ids.size() && i < run->tokens.size(); ++i)
        if (run->tokens[i].id != (i < prompt.size() ? prompt[i] : of.ids[i - prompt.size()]))
            picture->linked = false;
    views::FigureSource source;
    source.name = QString::fromLatin1(id);
    source.topic = QStringLiteral("entropy");
    source.command = commands.join(QLatin1Char('\n'));
    source.provenance = first->provenance;
    source.provenance["analysis"] = id;
    source.provenance["parameters"] = first->parameters;
    source.results = [results = first->results] { return results; };
    picture->selected = step_;
    canvas_->show_picture(picture, source);
    place_->setCurrentWidget(canvas_);
    show_alternatives();
    emit finished();
}

void LanesPage::begin_live(int first) {
    is_live_ = true;
    live_.clear();
    for (const char* name : {"ids", "entropy", "varentropy", "top1", "margin"})
        live_.push_back({name, "series", {{"step", 0, {}}}, {}, {}, {}});
    live_.push_back({"tokens", "table", {}, {}, Json::array(), {}});
    Q_UNUSED(first);
}

void LanesPage::draw_live(const run::GenerateStep& step) {
    const double numbers[] = {static_cast<double>(step.id), step.entropy, step.varentropy, step.top1,
                              step.margin};
    for (std::size_t i = 0; i < std::size(numbers); ++i) {
        live_[i].data.push_back(numbers[i]);
        ++live_[i].axes.front().size;
    }
    const auto model = bench_.model();
    live_.back().json.push_back(
        {{"row", 0},
         {"position", step.pos},
         {"id", step.id},
         {"token", model && model->tokenizer ? model->tokenizer->token_text(step.id) : std::string()}});
    if (!isVisible()) return;
    auto picture = figure::lanes_for({{QString(), &live_}}, NAN, false);
    if (!picture) return;
    picture->said = tr("Generating: the other lanes follow when it has ended.");
    picture->linked = false;
    canvas_->show_picture(picture, {});
    place_->setCurrentWidget(canvas_);
}

// ---- the step and its alternatives ----

void LanesPage::select_step(int step) {
    step_ = step;
    const Generation* of = shown_.empty() ? nullptr : generations_.find(shown_.front());
    if (of && lanes() && lanes()->linked)
        desk_.selection.set_query(static_cast<int>(of->spec.prompt.rows.front().ids.size()) + step - 1);
    else
        draw();
    show_alternatives();
    emit state_changed();
}

void LanesPage::show_alternatives() {
    alternatives_.clear();
    others_->clear();
    const Generation* of = shown_.empty() ? nullptr : generations_.find(shown_.front());
    const auto record = of ? records_.find(key_of(*of)) : records_.end();
    if (step_ < 0 || record == records_.end() || step_ >= static_cast<int>(of->ids.size())) {
        others_title_->setText(tr("Click a step: the tokens that could have stood there appear here, and "
                                  "choosing one continues from it as a branch."));
        return;
    }
    const std::int32_t own = of->ids[static_cast<std::size_t>(step_)];
    others_title_->setText(tr("Step %1, in place of <b>%2</b>:").arg(step_).arg(token(own).toHtmlEscaped()));
    const engine::ResultValue* table = named(record->second.results, "alternatives");
    if (!table || !table->json.is_array()) return;
    for (const Json& entry : table->json) {
        if (entry.value("step", -1) != step_) continue;
        const auto other = entry.value("id", std::int32_t{0});
        alternatives_.push_back({other, entry.value("prob", 0.0)});
        auto* item = new QListWidgetItem(
            QStringLiteral("%1   %2").arg(token(other), figure::percent(entry.value("prob", 0.0))), others_);
        item->setFont(desk_.theme().fixed_font());
        item->setData(step_role, other);
        item->setToolTip(other == own ? tr("This is the token that stands there.")
                                      : tr("Continue from here with this token (id %1)").arg(other));
        if (other == own) item->setFlags(Qt::NoItemFlags);
    }
}

void LanesPage::branch_with(std::int32_t other) {
    if (shown_.empty() || step_ < 0) return;
    const auto checked = parameters();
    const int tokens = checked ? (*checked)["max_new"].get<int>() : usual_tokens;
    generations_.branch(shown_.front(), step_, other, tokens);
}

void LanesPage::set_difference(bool on) { difference_->setChecked(on); }

// ---- the tree ----

QString LanesPage::token(std::int32_t token_id) const {
    return bench_.model() ? Runner::shown(*bench_.model(), token_id).shown : QString::number(token_id);
}

QString LanesPage::text_of(const std::vector<std::int32_t>& ids, std::size_t from) const {
    if (!bench_.model() || !bench_.model()->tokenizer) return {};
    const std::vector<std::int32_t> part(
        ids.begin() + static_cast<std::ptrdiff_t>(std::min(from, ids.size())), ids.end());
    return QString::fromStdString(bench_.model()->tokenizer->decode(part, true)).simplified();
}

QString LanesPage::name_of(const Generation& of) const {
    const auto from = static_cast<std::size_t>(of.parent != 0 ? of.left_at : 0);
    QString text = text_of(of.ids, from).left(28);
    if (text.isEmpty() && from < of.ids.size()) text = token(of.ids[from]);
    return of.parent != 0 ? tr("step %1: %2").arg(of.left_at).arg(text) : text;
}

QTreeWidgetItem* LanesPage::item_of(const Generation& of) const {
    auto* item = new QTreeWidgetItem;
    const bool branched = of.parent != 0 && generations_.find(of.parent) != nullptr;
    const QString text = text_of(of.ids, branched ? static_cast<std::size_t>(of.left_at) : 0);
    const QString prompt = text_of(of.spec.prompt.rows.front().ids, 0);
    item->setText(0, branched ? text : QStringLiteral("…%1 ▸ %2").arg(prompt.right(18), text));
    item->setText(1, branched ? tr("step %1").arg(of.left_at) : QString());
    item->setData(0, step_role, QVariant::fromValue<qlonglong>(of.step));
    QString tip = prompt + QStringLiteral(" ▸ ") + text_of(of.ids, 0);
    if (of.spec.temperature > 0)
        tip += tr("\nTemperature %1, seed %2").arg(figure::tick(of.spec.temperature)).arg(of.spec.seed);
    for (const run::EditSpec& edit : of.spec.prompt.edits)
        tip += QLatin1Char('\n') + QString::fromStdString(run::to_text(edit));
    if (of.step > 0) tip += tr("\nStep %1 of the session").arg(of.step);
    item->setToolTip(0, tip);
    return item;
}

void LanesPage::show_tree() {
    const QSignalBlocker quiet(tree_);
    tree_->clear();
    std::map<std::int64_t, QTreeWidgetItem*> items;
    // Parents have smaller numbers than what leaves them (unrecorded ones count downwards).
    std::vector<const Generation*> order;
    for (const auto& [step, one] : generations_.all())
        order.push_back(&one);
    std::sort(order.begin(), order.end(), [](const Generation* a, const Generation* b) {
        return std::pair(a->step < 0, std::abs(a->step)) < std::pair(b->step < 0, std::abs(b->step));
    });
    for (const Generation* of : order) {
        QTreeWidgetItem* item = item_of(*of);
        items[of->step] = item;
        const auto parent = items.find(of->parent);
        if (of->parent != 0 && parent != items.end())
            parent->second->addChild(item);
        else
            tree_->insertTopLevelItem(0, item); // newest first
    }
    tree_->expandAll();
    for (const std::int64_t step : shown_)
        if (const auto found = items.find(step); found != items.end()) {
            found->second->setSelected(true);
            tree_->scrollToItem(found->second);
        }
    below_->setVisible(!items.empty());
}

void LanesPage::tree_selected() {
    std::vector<std::int64_t> now;
    // The one that was first stays first.
    for (const QTreeWidgetItem* item : tree_->selectedItems())
        now.push_back(item->data(0, step_role).toLongLong());
    if (now.empty()) return;
    std::stable_partition(now.begin(), now.end(), [this](std::int64_t step) {
        return std::find(shown_.begin(), shown_.end(), step) != shown_.end();
    });
    wanted_.clear();
    shown_.assign(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                                 now.size(), figure::Lanes::most_runs)));
    is_live_ = false;
    ask();
    emit state_changed();
}

QString LanesPage::command_of(const Generation& of) const {
    AnalysedSide side;
    side.row = of.spec.prompt.rows.front();
    for (const run::EditSpec& edit : of.spec.prompt.edits)
        side.edits << QString::fromStdString(run::to_text(edit));
    QString options;
    const Json values = lane_values(of);
    for (const auto& [name, value] : values.items()) {
        QString text;
        if (value.is_array()) {
            QStringList parts;
            for (const Json& part : value)
                parts << QString::fromStdString(dump_json(part));
            text = parts.join(QLatin1Char(','));
        } else {
            text = QString::fromStdString(value.is_string() ? value.get<std::string>() : dump_json(value));
        }
        options += QStringLiteral(" --set ") +
                   views::shell_word(QString::fromStdString(name) + QLatin1Char('=') + text);
    }
    return command_of_sides(*bench_.model(), {side}, QString::fromLatin1(id), options);
}

} // namespace vitrine::window
