#include "app/window/training_page.h"

#include <QComboBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QPushButton>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <utility>

#include "core/catalogue/checkpoints.h"
#include "core/engine/resources.h"
#include "views/figure/figure_for.h"

namespace vitrine::window {

namespace {

constexpr const char* emergence_id = "emergence";

/// The training that is shipped; empty if the resources are not there.
QString shipped() {
    const auto resources = engine::resources_folder();
    return resources ? QString::fromStdString((*resources / "models" / "vitrine-tiny-sibling").string())
                     : QString();
}

} // namespace

TrainingPage::TrainingPage(Bench& bench, views::Desk& desk, QWidget* parent)
    : QWidget(parent), bench_(bench), desk_(desk), where_(new views::ElidedLabel(this)),
      form_(new views::AnalysisForm(this)), run_(new QPushButton(tr("Run"), this)),
      export_(new QPushButton(tr("Export…"), this)), place_(new QStackedWidget(this)),
      scroll_(new views::FigureScroll(desk, this)), empty_(new views::EmptyState(this)) {
    auto* choose = new QPushButton(tr("Checkpoints…"), this);
    choose->setToolTip(tr("A folder that holds one model at several points of its training, a folder each: "
                          "step-00020, step1000, checkpoint-500"));
    run_->setToolTip(tr("Runs it and keeps it as a step of the session"));
    export_->setToolTip(tr("The picture as SVG, PDF or PNG; the numbers as CSV, NPZ or HDF5 (E)"));
    auto* head = new QHBoxLayout;
    head->setSpacing(8);
    head->addWidget(choose, 0, Qt::AlignTop);
    head->addWidget(form_, 1);
    head->addWidget(export_, 0, Qt::AlignTop);
    head->addWidget(run_, 0, Qt::AlignTop);
    place_->addWidget(empty_);
    place_->addWidget(scroll_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 6, 8, 0);
    column->setSpacing(4);
    column->addLayout(head);
    column->addWidget(where_);
    column->addWidget(place_, 1);
    soon_.setSingleShot(true);
    soon_.setInterval(0);
    empty_->say(tr("What emerges over a training; it is on its way."));
    connect(&soon_, &QTimer::timeout, this, [this] {
        if (isVisible()) run(false);
    });
    connect(choose, &QPushButton::clicked, this, &TrainingPage::choose_folder);
    connect(run_, &QPushButton::clicked, this, [this] { run(true); });
    connect(export_, &QPushButton::clicked, this, [this] { emit desk_.export_wanted(scroll_->canvas()); });
    connect(empty_, &views::EmptyState::pressed, this, [this] {
        if (std::exchange(again_, false)) {
            run(false);
            return;
        }
        chosen_ = false;
        use_folder(shipped());
    });
    connect(&bench_, &Bench::cancelled, this, &TrainingPage::stopped);
    connect(form_, &views::AnalysisForm::submitted, this, [this] { run(false); });
    connect(&bench_, &Bench::model_changed, this, &TrainingPage::follow_model);
    connect(&desk_, &views::Desk::theme_changed, this, &TrainingPage::redraw);
}

void TrainingPage::set_manifests(const Json& manifests) {
    for (const Json& manifest : manifests)
        if (manifest.at("id") == emergence_id) form_->show_manifest(manifest);
    known_ = true;
    if (!pending_.is_null()) form_->set_values(std::exchange(pending_, Json()));
    for (QComboBox* box : form_->findChildren<QComboBox*>())
        connect(box, &QComboBox::currentIndexChanged, &soon_, qOverload<>(&QTimer::start));
    if (isVisible()) soon_.start();
}

void TrainingPage::set_values(const Json& values) {
    if (known_)
        form_->set_values(values);
    else
        pending_ = values;
    if (isVisible()) soon_.start();
}

void TrainingPage::follow_model() {
    if (chosen_ || !bench_.model()) return;
    const auto own = catalogue::checkpoints_of(bench_.model()->model.path);
    use_folder(own.size() > 1 ? QString::fromStdString(own.front().path.parent_path().string()) : shipped());
}

void TrainingPage::use_folder(const QString& folder) {
    folder_ = folder;
    where_->say(folder, folder);
    if (isVisible()) soon_.start();
    emit state_changed();
}

void TrainingPage::choose_folder() {
    const QString folder =
        QFileDialog::getExistingDirectory(this, tr("A folder of checkpoints of one model"), folder_);
    if (folder.isEmpty()) return;
    chosen_ = true;
    use_folder(folder);
}

void TrainingPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (folder_.isEmpty()) follow_model();
    soon_.start();
}

void TrainingPage::run(bool record) {
    if (folder_.isEmpty() || !bench_.model() || !known_) return;
    const Json values = form_->values();
    const QString wanted = folder_ + QString::fromStdString(dump_json(values));
    if (!record && wanted == shown_) return;
    shown_ = wanted;
    engine::ModelRequest request = bench_.model()->request;
    request.name = folder_.toStdString();
    command_ = QStringLiteral("vitrine-cli analyze %1 %2 --device %3%4")
                   .arg(QLatin1String(emergence_id), views::shell_word(folder_),
                        views::shell_word(QString::fromStdString(bench_.model()->loaded->device().id)),
                        form_->command_options());
    job_ = bench_.post(
        this, record ? "record emergence" : "emergence", std::string("analysis ") + emergence_id,
        [request, values, record](engine::Engine& engine, const CancelToken& cancel,
                                  const Progress& progress) -> Result<engine::AnalysisRecord> {
            VITRINE_ASSIGN(const auto model, engine.open_model(request, cancel, progress));
            return engine.analyze(*model, emergence_id, values, {}, cancel, progress, record);
        },
        [this, record](const Result<engine::AnalysisRecord>& answer) {
            job_ = 0;
            if (answer) {
                record_ = *answer;
                place_->setCurrentWidget(scroll_);
                redraw();
                if (record) emit recorded();
            } else {
                again_ = false;
                record_.reset();
                empty_->say(QString::fromStdString(answer.error().message),
                            folder_ == shipped() ? QString() : tr("Show the shipped training"));
                place_->setCurrentWidget(empty_);
            }
            emit finished();
        },
        record ? engine::Priority::normal : engine::Priority::background);
}

// What was stopped brings no answer: nothing else would say that it is not on its way any more.
void TrainingPage::stopped(engine::JobId id) {
    if (job_ == 0 || (id != 0 && id != job_)) return;
    job_ = 0;
    shown_.clear();
    record_.reset();
    again_ = true;
    empty_->say(tr("Stopped before it was done."), tr("Run again"));
    place_->setCurrentWidget(empty_);
    emit finished();
}

void TrainingPage::record_shown() {
    if (record_ && record_->step == 0) run(true);
}

void TrainingPage::redraw() {
    if (!record_) return;
    views::FigureSource source;
    source.name = QLatin1String(emergence_id);
    source.topic = QLatin1String(emergence_id);
    source.command = command_;
    source.provenance = record_->provenance;
    source.provenance["analysis"] = record_->id;
    source.provenance["parameters"] = record_->parameters;
    source.results = [results = record_->results] { return results; };
    // Which ids were measured stays in the numbers.
    std::vector<engine::ResultValue> drawn;
    for (const engine::ResultValue& result : record_->results)
        if (result.kind != "table") drawn.push_back(result);
    scroll_->show_picture(figure::figure_for(drawn, desk_.theme()), source);
}

Json TrainingPage::state() const {
    return {{"values", known_ ? form_->values() : pending_},
            {"folder", chosen_ ? folder_.toStdString() : std::string()}};
}

void TrainingPage::restore(const Json& state) {
    if (!state.is_object()) return;
    if (const auto values = state.find("values"); values != state.end()) set_values(*values);
    const auto folder = state.find("folder");
    if (folder == state.end() || !folder->is_string() || folder->get<std::string>().empty()) return;
    chosen_ = true;
    use_folder(QString::fromStdString(folder->get<std::string>()));
}

} // namespace vitrine::window
