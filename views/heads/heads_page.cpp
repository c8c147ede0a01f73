#include "views/heads/heads_page.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "views/figure/column.h"
#include "views/figure/quantity.h"

namespace vitrine::views {

namespace {

constexpr QLatin1String random_key(":random");

void add_metric(QComboBox* box, const QString& name) {
    const figure::Quantity quantity = figure::quantity_of(name.toStdString());
    box->addItem(quantity.title, name);
    box->setItemData(box->count() - 1, quantity.meaning, Qt::ToolTipRole);
}

QString state_text(const Json& state, const char* name) {
    const auto found = state.find(name);
    return found != state.end() && found->is_string() ? QString::fromStdString(found->get<std::string>())
                                                      : QString();
}

void choose_in(QComboBox* box, const QString& name) {
    if (const int at = box->findData(name); at >= 0) box->setCurrentIndex(at);
}

} // namespace

HeadsPage::HeadsPage(Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), controls_(new QWidget(this)), metric_box_(new QComboBox(this)),
      rows_box_(new PromptSetBox(this)), x_box_(new QComboBox(this)), y_box_(new QComboBox(this)),
      place_(new QStackedWidget(this)), across_(new QSplitter(Qt::Horizontal, this)),
      map_(new FigureCanvas(desk, this)), scatter_(new FigureCanvas(desk, this)),
      table_(new FigureScroll(desk, this)), empty_(new EmptyState(this)) {
    build_controls();
    auto* down = new QSplitter(Qt::Vertical, this);
    auto* points = new QWidget(this);
    auto* column = new QVBoxLayout(points);
    column->setContentsMargins(4, 0, 4, 0);
    column->setSpacing(2);
    auto* axes = new QHBoxLayout;
    axes->setSpacing(6);
    axes->addWidget(new QLabel(tr("Across"), this));
    axes->addWidget(x_box_);
    axes->addWidget(new QLabel(tr("up"), this));
    axes->addWidget(y_box_);
    axes->addStretch(1);
    column->addLayout(axes);
    column->addWidget(scatter_, 1);
    map_->setAccessibleName(tr("Metric of all heads"));
    scatter_->setAccessibleName(tr("Heads between two metrics"));
    table_->canvas()->setAccessibleName(tr("All heads"));
    down->addWidget(points);
    down->addWidget(table_);
    down->setStretchFactor(0, 3);
    down->setStretchFactor(1, 2);
    across_->addWidget(map_);
    across_->addWidget(down);
    across_->setStretchFactor(0, 1);
    across_->setStretchFactor(1, 1);
    across_->setSizes({1000, 1000});
    map_->setMinimumWidth(260);
    down->setMinimumWidth(260);
    place_->addWidget(empty_);
    place_->addWidget(across_);
    auto* all = new QVBoxLayout(this);
    all->setContentsMargins(6, 4, 6, 0);
    all->setSpacing(4);
    all->addWidget(place_, 1);
    take_controls();
    empty_->say(tr("What each head does in this text; it is on its way."));

    connect(&desk_, &Desk::theme_changed, this, &HeadsPage::redraw);
    connect(empty_, &EmptyState::pressed, this, [this] {
        if (again_)
            emit again_wanted();
        else
            choose_rows(Rows::random);
    });
    connect(metric_box_, &QComboBox::currentIndexChanged, this, [this] {
        const qsizetype column = head_metrics().indexOf(metric_box_->currentData().toString());
        if (column >= 0) sorted_by_ = static_cast<int>(column) + 1; // after the head's name
        redraw();
        emit state_changed();
    });
    for (QComboBox* box : {x_box_, y_box_})
        connect(box, &QComboBox::currentIndexChanged, this, [this] {
            redraw();
            emit state_changed();
        });
    connect(rows_box_, &PromptSetBox::chosen, this, [this] {
        emit wanted();
        emit state_changed();
    });
}

void HeadsPage::build_controls() {
    for (const QString& name : head_metrics() + generation_metrics())
        add_metric(metric_box_, name);
    for (const QString& name : head_metrics()) {
        add_metric(x_box_, name);
        add_metric(y_box_, name);
    }
    choose_in(x_box_, QStringLiteral("sink"));
    choose_in(y_box_, QStringLiteral("induction_rate"));
    metric_box_->setAccessibleName(tr("Metric"));
    x_box_->setAccessibleName(tr("Metric across"));
    y_box_->setAccessibleName(tr("Metric up"));
    for (QComboBox* box : {metric_box_, x_box_, y_box_})
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    metric_box_->setMinimumContentsLength(18);
    x_box_->setMinimumContentsLength(11);
    y_box_->setMinimumContentsLength(11);
    rows_box_->add_choice(tr("Repeated random ids"), random_key);
    rows_box_->setToolTip(tr("What the metrics are measured on: the text above, random tokens written twice "
                             "(where only induction can foresee the second half), a set of prompts, or a "
                             "file of them, whose rows have equal weight."));
    auto* row = new QHBoxLayout(controls_);
    row->setContentsMargins(2, 0, 6, 3);
    row->setSpacing(6);
    row->addStretch(1);
    row->addWidget(metric_box_);
    row->addWidget(rows_box_);
}

void HeadsPage::take_controls() {
    controls_->setParent(this);
    static_cast<QVBoxLayout*>(layout())->insertWidget(0, controls_);
    controls_->show();
}

HeadsPage::Rows HeadsPage::rows() const {
    return rows_box_->key() == random_key ? Rows::random
           : rows_box_->file().isEmpty()  ? Rows::prompt
                                          : Rows::file;
}

void HeadsPage::choose_rows(Rows rows) {
    if (rows != Rows::file) rows_box_->choose(rows == Rows::random ? QString(random_key) : QString());
}

void HeadsPage::use_file(const QString& file) { rows_box_->choose(file); }

void HeadsPage::show_sets(const std::vector<PromptSet>& sets) { rows_box_->show_sets(sets); }

void HeadsPage::choose_metric(const QString& name) { choose_in(metric_box_, name); }

void HeadsPage::choose_axes(const QString& x, const QString& y) {
    choose_in(x_box_, x);
    choose_in(y_box_, y);
}

Json HeadsPage::values() const {
    const auto x = x_box_->currentData().toString(), y = y_box_->currentData().toString();
    if (x == y) return Json::object(); // the analysis itself draws no such scatter
    return {{"x", x.toStdString()}, {"y", y.toStdString()}};
}

void HeadsPage::show_results(Results results, const Json& provenance, const QString& command) {
    results_ = std::move(results);
    provenance_ = provenance;
    command_ = command;
    place_->setCurrentWidget(across_);
    redraw();
}

void HeadsPage::refuse(const QString& sentence, const QString& again) {
    results_.clear();
    again_ = !again.isEmpty();
    empty_->say(sentence, again_                   ? again
                          : rows() == Rows::random ? QString()
                                                   : tr("Use repeated random ids"));
    place_->setCurrentWidget(empty_);
}

FigureSource HeadsPage::source_of(const QString& name) const {
    FigureSource source;
    source.name = name;
    source.topic = QStringLiteral("heads");
    source.command = command_;
    source.provenance = provenance_;
    source.results = [results = results_] { return results; };
    return source;
}

void HeadsPage::redraw() {
    if (results_.empty()) return;
    const QString metric = metric_box_->currentData().toString();
    map_->show_picture(metric_picture(results_, metric, desk_.theme()),
                       source_of(QStringLiteral("heads-") + metric));
    const QString x = x_box_->currentData().toString(), y = y_box_->currentData().toString();
    if (x == y) {
        auto words = std::make_shared<figure::Card>();
        words->text = tr("Choose two different metrics to see the heads between them.");
        scatter_->show_picture(words, source_of(QStringLiteral("heads-scatter")));
    } else {
        scatter_->show_picture(scatter_picture(results_, x, y, desk_.theme()),
                               source_of(QStringLiteral("heads-scatter")));
    }
    const auto old = std::dynamic_pointer_cast<figure::Column>(table_->canvas()->picture());
    const auto table = heads_table(results_, desk_.theme());
    if (!table) return;
    // The order stays that of the last click, unless another metric was chosen since.
    const auto before =
        old && !old->parts.empty() ? std::dynamic_pointer_cast<figure::Table>(old->parts.front()) : nullptr;
    if (before && sorted_by_ < 0) {
        table->sort_by(before->sorted_by());
        if (before->upwards() != table->upwards()) table->sort_by(before->sorted_by());
    } else {
        table->sort_by(sorted_by_ < 0 ? 1 : sorted_by_);
    }
    sorted_by_ = -1;
    auto column = std::make_shared<figure::Column>();
    column->parts.push_back(table);
    table_->show_picture(column, source_of(QStringLiteral("heads-table")));
}

Json HeadsPage::state() const {
    const auto chosen = [](const QComboBox* box) { return box->currentData().toString().toStdString(); };
    return {{"metric", chosen(metric_box_)},
            {"x", chosen(x_box_)},
            {"y", chosen(y_box_)},
            {"rows", static_cast<int>(rows())},
            {"file", file().toStdString()}};
}

void HeadsPage::restore(const Json& state) {
    if (!state.is_object()) return;
    choose_in(metric_box_, state_text(state, "metric"));
    choose_axes(state_text(state, "x"), state_text(state, "y"));
    const auto wanted = state.find("rows");
    if (wanted == state.end() || !wanted->is_number_integer()) return;
    const auto rows = static_cast<Rows>(wanted->get<int>());
    const QString file = state_text(state, "file");
    if (rows == Rows::file && !file.isEmpty())
        use_file(file);
    else
        choose_rows(rows == Rows::random ? Rows::random : Rows::prompt);
}

} // namespace vitrine::views
