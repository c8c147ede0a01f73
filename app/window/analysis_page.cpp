#include "app/window/analysis_page.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/window/prompt_sets.h"
#include "app/window/side_analysis.h"
#include "views/figure/column.h"
#include "views/figure/figure_for.h"

namespace vitrine::window {

namespace {

constexpr int roomy = 700;        ///< pixels of height from which the summary has a line of its own
constexpr int page_rest_ms = 250; ///< a live page follows once typing rests so long
QString first_sentence(const QString& text) {
    const qsizetype end = text.indexOf(QStringLiteral(". "));
    return end < 0 ? text : text.left(end + 1);
}

} // namespace

AnalysisPage::AnalysisPage(Bench& bench, views::Desk& desk, Runner& runner, QStringList ids, QString topic,
                           QWidget* parent)
    : QWidget(parent), bench_(bench), desk_(desk), runner_(runner), ids_(std::move(ids)),
      topic_(std::move(topic)), controls_(new QWidget(this)), head_(new QHBoxLayout),
      choice_(new QComboBox(this)), title_(new QLabel(this)), summary_(new views::ElidedLabel(this)),
      about_(new QLabel(this)), badge_(new QLabel(this)), explain_(new QToolButton(this)),
      form_(new views::AnalysisForm(this)), rows_(new views::PromptSetBox(this)),
      run_(new QPushButton(tr("Run"), this)), export_(new QPushButton(tr("Export…"), this)),
      place_(new QStackedWidget(this)), scroll_(new views::FigureScroll(desk, this)),
      empty_(new views::EmptyState(this)) {
    build();
    rest_.setSingleShot(true);
    rest_.setInterval(page_rest_ms);
    connect(&rest_, &QTimer::timeout, this, &AnalysisPage::run_if_live);
    connect(choice_, &QComboBox::currentIndexChanged, this, [this] {
        show_manifest();
        emit state_changed();
    });
    connect(run_, &QPushButton::clicked, this, [this] { run(true); });
    connect(empty_, &views::EmptyState::pressed, this, [this] { run(!live_); });
    connect(export_, &QPushButton::clicked, this, [this] { emit desk_.export_wanted(scroll_->canvas()); });
    connect(explain_, &QToolButton::toggled, about_, &QWidget::setVisible);
    connect(form_, &views::AnalysisForm::submitted, this, [this] {
        run(!live_);
        emit state_changed();
    });
    connect(rows_, &views::PromptSetBox::chosen, this, [this] {
        run_if_live();
        emit state_changed();
    });
    connect(&bench_, &Bench::cancelled, this, &AnalysisPage::stopped);
    connect(&desk_, &views::Desk::run_changed, &rest_, qOverload<>(&QTimer::start));
    connect(&desk_, &views::Desk::theme_changed, this, &AnalysisPage::redraw);
}

void AnalysisPage::build() {
    about_->setWordWrap(true);
    about_->setTextFormat(Qt::RichText);
    about_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    about_->setMaximumWidth(900);
    about_->hide();
    badge_->setToolTip(
        tr("The coordinates that the numbers are in, and the precision they were computed in"));
    badge_->hide();
    explain_->setText(tr("Explain"));
    explain_->setCheckable(true);
    explain_->setToolTip(tr("What is computed, and by whom it was defined"));
    run_->setToolTip(tr("Runs it and keeps it as a step of the session"));
    export_->setToolTip(tr("The picture as SVG, PDF or PNG; the numbers as CSV, NPZ or HDF5 (E)"));
    choice_->setAccessibleName(tr("Analysis"));
    rows_->show_sets(shipped_prompt_sets());
    rows_->hide();
    auto* row = new QHBoxLayout(controls_);
    row->setContentsMargins(2, 0, 8, 3);
    row->setSpacing(6);
    row->addStretch(1);
    for (QWidget* button :
         {static_cast<QWidget*>(explain_), static_cast<QWidget*>(export_), static_cast<QWidget*>(run_)})
        row->addWidget(button);
    head_->setSpacing(10);
    head_->addWidget(choice_, 0, Qt::AlignTop);
    head_->addWidget(title_, 0, Qt::AlignTop);
    head_->addWidget(rows_, 0, Qt::AlignTop);
    head_->addWidget(form_, 1);
    head_->addWidget(badge_, 0, Qt::AlignTop);
    place_->addWidget(empty_);
    place_->addWidget(scroll_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 6, 8, 0);
    column->setSpacing(6);
    column->addLayout(head_);
    column->addWidget(summary_);
    column->addWidget(about_);
    column->addWidget(place_, 1);
    take_controls();
    empty_->say(tr("Press Run to analyse the current prompt."), tr("Run"));
}

void AnalysisPage::show_only(QStringList results) {
    results_ = std::move(results);
    redraw();
}

void AnalysisPage::set_painter(Painter painter) {
    painter_ = std::move(painter);
    redraw();
}

void AnalysisPage::stand_beside() {
    settings_ = new QToolButton(this);
    settings_->setText(tr("Settings"));
    settings_->setCheckable(true);
    settings_->setToolTip(tr("The parameters of this picture, its export, and what it computes"));
    head_->removeWidget(form_);
    head_->removeWidget(controls_);
    if (ids_.size() > 1) let_choice_shrink();
    head_->addStretch(1);
    head_->addWidget(settings_, 0, Qt::AlignTop);
    auto* column = static_cast<QVBoxLayout*>(layout());
    column->setContentsMargins(6, 2, 4, 0);
    column->setSpacing(2);
    head_->removeWidget(rows_);
    column->insertWidget(1, rows_);
    column->insertWidget(2, form_);
    column->insertWidget(3, controls_);
    connect(settings_, &QToolButton::toggled, this, &AnalysisPage::show_settings);
    show_settings();
}

void AnalysisPage::let_choice_shrink() {
    choice_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    choice_->setMinimumContentsLength(8);
    head_->setStretchFactor(choice_, 8);
}

void AnalysisPage::keep_short(const QStringList& fields) {
    auto* all = new QToolButton(this);
    all->setText(tr("All settings"));
    all->setCheckable(true);
    all->setToolTip(tr("Further parameters of this analysis"));
    connect(all, &QToolButton::toggled, this,
            [this, fields](bool on) { form_->show_only(on ? QStringList() : fields); });
    form_->show_only(fields);
    let_choice_shrink();
    head_->removeWidget(form_);
    head_->insertWidget(head_->indexOf(badge_), all, 0, Qt::AlignTop);
    static_cast<QVBoxLayout*>(layout())->insertWidget(1, form_);
}

void AnalysisPage::put_above(QWidget* widget) {
    auto* column = static_cast<QVBoxLayout*>(layout());
    column->insertWidget(column->indexOf(place_), widget);
}

void AnalysisPage::show_settings() {
    const int at = choice_->currentIndex();
    const bool open = !settings_ || settings_->isChecked();
    const bool has = at >= 0 && !manifests_[static_cast<std::size_t>(at)]["parameters"].empty();
    form_->setVisible(has && open);
    rows_->setVisible(at >= 0 && averages_over_rows(chosen()) && !source_ && open);
    if (settings_) controls_->setVisible(open);
}

void AnalysisPage::set_values(const Json& values) {
    const Json state = choice_->count() == 0 ? pending_ : this->state();
    restore({{"analysis", state.is_object() ? state["analysis"] : Json(ids_.value(0).toStdString())},
             {"values", values}});
}

void AnalysisPage::follow(const std::string& name, const Json& value) {
    if (choice_->count() == 0) return; // the manifests are not there yet
    Json values = form_->values();
    values[name] = value;
    form_->set_values(values);
    rest_.start();
}

void AnalysisPage::take_controls() {
    if (settings_) return;
    head_->addWidget(controls_, 0, Qt::AlignTop);
    controls_->show();
}

void AnalysisPage::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    summary_->setVisible(!settings_ && height() >= roomy); // else on hover, and under Explain
}

void AnalysisPage::set_manifests(const Json& manifests) {
    manifests_ = Json::array();
    {
        const QSignalBlocker quiet(choice_);
        choice_->clear();
        const auto id_of = [](const Json& manifest) {
            return QString::fromStdString(manifest.at("id").get<std::string>());
        };
        for (const Json& manifest : manifests)
            if (ids_.isEmpty() || ids_.contains(id_of(manifest))) manifests_.push_back(manifest);
        // In the page's own order, which says what is shown first.
        std::stable_sort(manifests_.begin(), manifests_.end(), [&](const Json& a, const Json& b) {
            return ids_.indexOf(id_of(a)) < ids_.indexOf(id_of(b));
        });
        for (const Json& manifest : manifests_)
            choice_->addItem(
                QString::fromStdString(manifest.value("title", manifest.at("id").get<std::string>())),
                id_of(manifest));
    }
    choice_->setVisible(choice_->count() > 1);
    title_->setVisible(choice_->count() == 1);
    show_manifest();
    if (!pending_.is_null()) restore(std::exchange(pending_, Json()));
}

QString AnalysisPage::chosen() const { return choice_->currentData().toString(); }

void AnalysisPage::choose(const QString& id) {
    const int at = choice_->findData(id);
    if (at >= 0) choice_->setCurrentIndex(at);
}

Json AnalysisPage::state() const {
    if (choice_->count() == 0) return pending_; // not known yet: what was remembered stays
    return {{"analysis", chosen().toStdString()},
            {"values", form_->values()},
            {"prompts", rows_->file().toStdString()}};
}

void AnalysisPage::restore(const Json& state) {
    if (!state.is_object()) return;
    if (choice_->count() == 0) {
        pending_ = state;
        return;
    }
    const auto id = state.find("analysis");
    if (id == state.end() || !id->is_string()) return;
    choose(QString::fromStdString(id->get<std::string>()));
    if (state.contains("values")) form_->set_values(state["values"]);
    if (const auto file = state.find("prompts"); file != state.end() && file->is_string())
        rows_->choose(QString::fromStdString(file->get<std::string>()));
}

void AnalysisPage::measure(const QString& file) { rows_->choose(file); }

void AnalysisPage::set_source(RowsSource source) {
    source_ = std::move(source);
    show_settings();
}

QString AnalysisPage::measured() const {
    return !source_ && averages_over_rows(chosen()) ? rows_->file() : QString();
}

void AnalysisPage::show_again(const QString& id, const Json& parameters) {
    restore({{"analysis", id.toStdString()}, {"values", parameters}});
    run(false);
}

void AnalysisPage::show_manifest() {
    const int at = choice_->currentIndex();
    if (at < 0) {
        empty_->say(tr("This analysis does not exist in this build."));
        run_->setEnabled(false);
        return;
    }
    const Json& manifest = manifests_[static_cast<std::size_t>(at)];
    run_->setEnabled(true);
    form_->show_manifest(manifest);
    show_settings();
    const auto text = [&](const char* name) {
        return QString::fromStdString(manifest.value(name, std::string()));
    };
    title_->setText(QStringLiteral("<b>%1</b>").arg(text("title").toHtmlEscaped()));
    summary_->say(first_sentence(text("summary")), text("summary"));
    choice_->setToolTip(text("summary"));
    title_->setToolTip(text("summary"));
    QString said = QStringLiteral("<p>%1</p>").arg(text("summary").toHtmlEscaped());
    if (!text("citation").isEmpty())
        said += QStringLiteral("<p style='color:%1'>%2</p>")
                    .arg(desk_.theme().muted.name(), text("citation").toHtmlEscaped());
    about_->setText(said);
    if (!record_ || record_->id != chosen().toStdString()) {
        empty_->say(live_                 ? tr("The picture follows the prompt; it is on its way.")
                    : reads_model_alone() ? tr("Press Run to look at the model's weights.")
                                          : tr("Press Run to analyse the current prompt."),
                    live_ ? QString() : tr("Run"));
        place_->setCurrentWidget(empty_);
    }
    run_if_live();
}

void AnalysisPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (settings_)
        rest_.start(); // the main picture comes first
    else
        run_if_live();
}

bool AnalysisPage::reads_model_alone() const {
    const int at = choice_->currentIndex();
    return at >= 0 && manifests_[static_cast<std::size_t>(at)].value("prompts", "required") == "none";
}

std::vector<AnalysedSide> AnalysisPage::sides() const {
    if (reads_model_alone()) return {AnalysedSide{}};
    if (!with_a_) return analysed_sides(desk_);
    std::vector<AnalysedSide> out;
    if (desk_.a()) out.push_back(side_of(*desk_.a()));
    return out;
}

std::string AnalysisPage::key() const {
    const QString file = measured();
    Json out{{"id", chosen().toStdString()}, {"values", form_->values()}, {"prompts", file.toStdString()}};
    if (source_) out["source"] = source_->key;
    for (const AnalysedSide& side : sides()) {
        Json edits = Json::array();
        for (const QString& edit : side.edits)
            edits.push_back(edit.toStdString());
        out["sides"].push_back(
            {{"ids", file.isEmpty() && !source_ ? Json(side.row.ids) : Json()}, {"edits", std::move(edits)}});
    }
    if (bench_.model()) out["weights"] = bench_.model()->model.weights_hash;
    return dump_json(out);
}

void AnalysisPage::run_if_live() {
    // While typing rests, not before.
    if (!live_ || !isVisible() || !bench_.model() || desk_.stale()) return;
    if (sides().empty()) return;
    if (key() != shown_key_) run(false);
}

void AnalysisPage::run(bool record) {
    auto runs = sides();
    if (!bench_.model() || runs.empty() || choice_->currentIndex() < 0) return;
    shown_key_ = key();
    const QString file = measured();
    QString options = form_->command_options();
    if (!file.isEmpty()) {
        options += QStringLiteral(" --prompts ") + views::shell_word(file);
        for (AnalysedSide& side : runs)
            side.row = {};
    }
    if (source_) {
        options += source_->options(chosen());
        for (AnalysedSide& side : runs)
            side.row = {};
    }
    const QString command = command_of_sides(*bench_.model(), runs, chosen(), options);
    const std::string id = chosen().toStdString();
    job_ = bench_.post(
        this, fmt::format("analysis {}", fmt::ptr(this)), "analysis " + id,
        [model = bench_.model(), id, values = form_->values(), runs, record, file = file.toStdString(),
         source = source_,
         specials = runner_.specials()](engine::Engine& engine, const CancelToken& cancel,
                                        const Progress& progress) -> Result<engine::AnalysisRecord> {
            std::vector<run::RunRow> set;
            if (!file.empty()) {
                VITRINE_ASSIGN(set, rows_of_file(*model, file, specials));
            }
            if (source) {
                VITRINE_ASSIGN(set, source->rows(*model, specials));
            }
            VITRINE_ASSIGN(auto out, analyse_sides(engine, *model, id, values, runs, set, specials, cancel,
                                                   progress, record));
            if (!file.empty()) name_prompts(out, file, set.size());
            return out;
        },
        [this, command, record](Result<engine::AnalysisRecord> answer) {
            job_ = 0;
            if (!answer) {
                record_.reset();
                empty_->say(QString::fromStdString(answer.error().message), tr("Run again"));
                place_->setCurrentWidget(empty_);
            } else {
                show_results(*answer, command);
                if (record) emit recorded();
            }
            emit finished();
        },
        record ? engine::Priority::normal : engine::Priority::background);
}

// What was stopped brings no answer: nothing else would say that it is not on its way any more.
void AnalysisPage::stopped(engine::JobId id) {
    if (job_ == 0 || (id != 0 && id != job_)) return;
    job_ = 0;
    record_.reset();
    empty_->say(tr("Stopped before it was done."), tr("Run again"));
    place_->setCurrentWidget(empty_);
    emit finished();
}

void AnalysisPage::record_shown() {
    if (record_ && record_->step == 0) run(true);
}

void AnalysisPage::show_results(const engine::AnalysisRecord& record, const QString& command) {
    record_ = record;
    command_ = command;
    const auto text = [&](const char* name) {
        return QString::fromStdString(record.provenance.value(name, std::string()));
    };
    badge_->setText(tr("%1 · %2").arg(text("coordinates"), text("precision")));
    badge_->setVisible(record.parameters.contains("coordinates"));
    place_->setCurrentWidget(scroll_);
    redraw();
}

void AnalysisPage::redraw() {
    if (!record_) return;
    views::FigureSource source;
    source.name = QString::fromStdString(record_->id);
    source.topic = topic_;
    source.command = command_;
    source.provenance = record_->provenance;
    source.provenance["analysis"] = record_->id;
    source.provenance["parameters"] = record_->parameters;
    source.results = [results = record_->results] { return results; };
    if (painter_) {
        scroll_->show_picture(painter_(*record_, desk_.theme()), source);
        return;
    }
    if (results_.isEmpty()) {
        scroll_->show_picture(figure::figure_for(record_->results, desk_.theme()), source);
        return;
    }
    auto chosen = std::make_shared<figure::Column>(); // all of them in sight
    chosen->exact = true;
    for (const QString& name : results_)
        for (const engine::ResultValue& result : record_->results)
            if (result.name == name.toStdString() || result.name == name.toStdString() + "_difference")
                if (auto part = figure::figure_for(result, desk_.theme())) {
                    figure::mark_heads(*part, record_->results, desk_.theme());
                    chosen->parts.push_back(std::move(part));
                }
    scroll_->show_picture(chosen, source);
}

} // namespace vitrine::window
