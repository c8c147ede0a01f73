#include "app/window/analysis_page.h"

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "views/figure/column.h"
#include "views/figure/figure_for.h"
#include "views/figure/heatmap.h"

namespace vitrine::window {

namespace {

constexpr int side_width = 250;

// Keeps the canvas as wide as what is seen, and as high as its picture needs.
class FittingScroll : public QScrollArea {
public:
    using QScrollArea::QScrollArea;
    void fit(views::FigureCanvas* canvas, const figure::Theme& theme) {
        const int width = viewport()->width();
        int height = viewport()->height();
        if (const auto column = std::dynamic_pointer_cast<figure::Column>(canvas->picture()))
            for (const QRectF& place : column->places({0, 0}, width - 20, theme))
                height = std::max(height, static_cast<int>(place.bottom()) + 24);
        canvas->resize(width, height);
    }
};

} // namespace

AnalysisPage::AnalysisPage(Bench& bench, views::Desk& desk, QStringList ids, QWidget* parent)
    : QWidget(parent), bench_(bench), desk_(desk), ids_(std::move(ids)), choice_(new QComboBox(this)),
      about_(new QLabel(this)), form_(new views::AnalysisForm(this)), run_(new QPushButton(tr("Run"), this)),
      place_(new QStackedWidget(this)), scroll_(new FittingScroll(this)),
      canvas_(new views::FigureCanvas(desk, this)), empty_(new views::EmptyState(this)) {
    about_->setWordWrap(true);
    about_->setTextFormat(Qt::RichText);
    about_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* side = new QVBoxLayout;
    side->setSpacing(8);
    side->addWidget(choice_);
    side->addWidget(form_);
    auto* export_button = new QPushButton(tr("Export figure or numbers…"), this);
    side->addWidget(run_);
    side->addWidget(export_button);
    side->addSpacing(6);
    side->addWidget(about_);
    side->addStretch(1);
    auto* side_widget = new QWidget(this);
    side_widget->setLayout(side);
    side_widget->setFixedWidth(side_width);
    side->setContentsMargins(4, 4, 4, 4);

    scroll_->setWidget(canvas_);
    scroll_->setFrameShape(QFrame::NoFrame);
    scroll_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll_->viewport()->installEventFilter(this);
    place_->addWidget(empty_);
    place_->addWidget(scroll_);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(8, 8, 8, 4);
    row->addWidget(side_widget);
    row->addWidget(place_, 1);
    empty_->say(tr("Press Run to analyse the current prompt."), tr("Run"));

    connect(choice_, &QComboBox::currentIndexChanged, this, &AnalysisPage::show_manifest);
    connect(run_, &QPushButton::clicked, this, &AnalysisPage::run);
    connect(empty_, &views::EmptyState::pressed, this, &AnalysisPage::run);
    connect(export_button, &QPushButton::clicked, canvas_, &views::FigureCanvas::export_with_dialog);
    connect(form_, &views::AnalysisForm::submitted, this, &AnalysisPage::run);
    connect(canvas_, &views::FigureCanvas::clicked, this, [this](const QPointF& at) { canvas_clicked(at); });
    connect(&desk_, &views::Desk::run_changed, this, &AnalysisPage::run_if_live);
    connect(&desk_, &views::Desk::theme_changed, this, &AnalysisPage::redraw);
}

void AnalysisPage::set_manifests(const Json& manifests) {
    manifests_ = Json::array();
    const QSignalBlocker quiet(choice_);
    choice_->clear();
    for (const Json& manifest : manifests) {
        const QString id = QString::fromStdString(manifest.at("id").get<std::string>());
        if (!ids_.isEmpty() && !ids_.contains(id)) continue;
        manifests_.push_back(manifest);
        choice_->addItem(QString::fromStdString(manifest.value("title", id.toStdString())), id);
    }
    choice_->setVisible(choice_->count() > 1);
    show_manifest();
}

QString AnalysisPage::chosen() const { return choice_->currentData().toString(); }

void AnalysisPage::choose(const QString& id) {
    const int at = choice_->findData(id);
    if (at >= 0) choice_->setCurrentIndex(at);
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
    const auto text = [&](const char* name) {
        return QString::fromStdString(manifest.value(name, std::string())).toHtmlEscaped();
    };
    QString said = QStringLiteral("<p><b>%1</b></p><p>%2</p>").arg(text("title"), text("summary"));
    if (!text("citation").isEmpty())
        said +=
            QStringLiteral("<p style='color:%1'>%2</p>").arg(desk_.theme().muted.name(), text("citation"));
    about_->setText(said);
    if (shown_analysis_ != chosen()) place_->setCurrentWidget(empty_);
    run_if_live();
}

void AnalysisPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    run_if_live();
}

void AnalysisPage::run_if_live() {
    if (!live_ || !isVisible() || !desk_.a() || desk_.a()->step == 0)
        return; // while typing rests, not before
    std::vector<std::int32_t> ids;
    for (const figure::Token& token : desk_.a()->tokens)
        ids.push_back(token.id);
    if (ids != shown_ids_ || shown_analysis_ != chosen()) run();
}

void AnalysisPage::run() {
    const views::RunPtr& run = desk_.a();
    if (!bench_.model() || !run || choice_->currentIndex() < 0) return;
    run::RunRow row;
    QString ids;
    for (const figure::Token& token : run->tokens) {
        row.ids.push_back(token.id);
        row.special.push_back(token.special);
        ids += (ids.isEmpty() ? QString() : QStringLiteral(",")) + QString::number(token.id);
    }
    shown_ids_ = row.ids;
    shown_analysis_ = chosen();
    const QString command = QStringLiteral("vitrine-cli analyze %1 %2 --ids %3")
                                .arg(chosen(), views::shell_word(run->model), ids) +
                            form_->command_options();
    const std::string id = chosen().toStdString();
    bench_.post(
        this, "analysis " + id, "analysis " + id,
        [model = bench_.model(), id, values = form_->values(),
         row](engine::Engine& engine, const CancelToken& cancel, const Progress& progress) {
            return engine.analyze(*model, id, values, {row}, cancel, progress);
        },
        [this, command](Result<engine::AnalysisRecord> answer) {
            if (!answer) {
                shown_ids_.clear();
                record_.reset();
                empty_->say(QString::fromStdString(answer.error().message), tr("Run again"));
                place_->setCurrentWidget(empty_);
            } else {
                show_results(*answer, command);
            }
            emit finished();
        });
}

void AnalysisPage::show_results(const engine::AnalysisRecord& record, const QString& command) {
    record_ = record;
    command_ = command;
    place_->setCurrentWidget(scroll_);
    redraw();
}

void AnalysisPage::redraw() {
    if (!record_) return;
    views::FigureSource source;
    source.name = QString::fromStdString(record_->id);
    source.command = command_;
    source.provenance = record_->provenance;
    source.provenance["analysis"] = record_->id;
    source.provenance["parameters"] = record_->parameters;
    canvas_->show_picture(figure::figure_for(record_->results, desk_.theme()), source);
    static_cast<FittingScroll*>(scroll_)->fit(canvas_, desk_.theme());
}

bool AnalysisPage::eventFilter(QObject* object, QEvent* event) {
    if (event->type() == QEvent::Resize) static_cast<FittingScroll*>(scroll_)->fit(canvas_, desk_.theme());
    return QWidget::eventFilter(object, event);
}

void AnalysisPage::canvas_clicked(const QPointF& at) {
    const auto column = std::dynamic_pointer_cast<figure::Column>(canvas_->picture());
    if (!column) return;
    const auto places = column->places(canvas_->frame().topLeft(), canvas_->frame().width(), desk_.theme());
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto map = std::dynamic_pointer_cast<figure::Heatmap>(column->parts[i]);
        if (!map || !places[i].contains(at) || map->row_title != QLatin1String("layer")) continue;
        const auto cell = map->cell_at(at, places[i], desk_.theme());
        if (cell && map->col_title == QLatin1String("head"))
            desk_.selection.set_head(cell->y(), cell->x());
        else if (cell &&
                 (map->col_title == QLatin1String("pos") || map->col_title == QLatin1String("position")))
            desk_.selection.set_query(cell->x());
    }
}

} // namespace vitrine::window
