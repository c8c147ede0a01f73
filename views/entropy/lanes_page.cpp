#include "views/entropy/lanes_page.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSplitter>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

namespace vitrine::views {

namespace {

constexpr int beneath = 112;     ///< pixels of height that the tree has there at first
constexpr int beside = 250;      ///< pixels of width that it has there
constexpr int room_beside = 740; ///< pixels of width from which it stands there

} // namespace

LanesPage::LanesPage(Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), title_(new QLabel(tr("<b>Lanes</b>"), this)),
      generate_(new QPushButton(tr("Generate"), this)), export_(new QPushButton(tr("Export…"), this)),
      difference_(new QToolButton(this)), settings_(new QToolButton(this)), form_(new AnalysisForm(this)),
      parts_(new QSplitter(Qt::Vertical, this)), below_(new QSplitter(Qt::Horizontal, this)),
      place_(new QStackedWidget(this)), canvas_(new FigureCanvas(desk, this)), empty_(new EmptyState(this)),
      tree_(new BranchTree(this)), alternatives_(new StepAlternatives(desk, this)) {
    build();
    connect_parts();
    say(tr("Nothing has been generated from a prompt yet."), tr("Generate"));
}

void LanesPage::build() {
    generate_->setToolTip(tr("Continues the prompt; the settings say how"));
    export_->setToolTip(tr("The picture as SVG, PDF or PNG; the numbers as CSV, NPZ or HDF5 (E)"));
    difference_->setText(tr("First − second"));
    difference_->setCheckable(true);
    difference_->setToolTip(tr("Of two rows selected in the tree: the lanes of the first minus the second"));
    difference_->setEnabled(false);
    settings_->setText(tr("Settings"));
    settings_->setCheckable(true);
    settings_->setToolTip(tr("How tokens are drawn, and what the lanes show"));
    form_->hide();
    below_->hide(); // until there is something in it
    auto* head = new QHBoxLayout;
    head->setSpacing(6);
    head->addWidget(title_);
    head->addStretch(1);
    for (QWidget* button : std::initializer_list<QWidget*>{difference_, settings_, export_, generate_})
        head->addWidget(button);
    below_->addWidget(tree_);
    below_->addWidget(alternatives_);
    below_->setStretchFactor(0, 3);
    below_->setStretchFactor(1, 2);
    below_->setChildrenCollapsible(false);
    place_->addWidget(empty_);
    place_->addWidget(canvas_);
    parts_->addWidget(place_);
    parts_->addWidget(below_);
    parts_->setStretchFactor(0, 1);
    parts_->setChildrenCollapsible(false);
    parts_->setSizes({1000, beneath});
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 4, 4, 0);
    column->setSpacing(4);
    column->addLayout(head);
    column->addWidget(form_);
    column->addWidget(parts_, 1);
}

void LanesPage::connect_parts() {
    connect(generate_, &QPushButton::clicked, this, &LanesPage::generate_wanted);
    connect(empty_, &EmptyState::pressed, this, &LanesPage::button_pressed);
    connect(export_, &QPushButton::clicked, this, [this] {
        if (canvas_->picture()) emit desk_.export_wanted(canvas_);
    });
    connect(settings_, &QToolButton::toggled, form_, &QWidget::setVisible);
    connect(difference_, &QToolButton::toggled, this, &LanesPage::difference_changed);
    connect(form_, &AnalysisForm::submitted, this, &LanesPage::settings_changed);
    connect(canvas_, &FigureCanvas::clicked, this, [this](const QPointF& at) {
        if (const auto shown = lanes())
            if (const int step = shown->step_at(at, canvas_->frame(), desk_.theme()); step >= 0)
                emit step_clicked(step);
    });
}

void LanesPage::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    arrange();
}

void LanesPage::arrange() {
    const bool wide = width() >= room_beside;
    const Qt::Orientation now = wide ? Qt::Horizontal : Qt::Vertical;
    if (parts_->orientation() == now) return;
    parts_->setOrientation(now);
    below_->setOrientation(wide ? Qt::Vertical : Qt::Horizontal);
    const int length = wide ? width() : height(), own = wide ? beside : beneath;
    parts_->setSizes({length - own, own});
}

void LanesPage::show_manifest(const Json& manifest, const QString& summary) {
    form_->show_manifest(manifest);
    title_->setToolTip(summary);
}

void LanesPage::say(const QString& sentence, const QString& button) {
    empty_->say(sentence, button);
    place_->setCurrentWidget(empty_);
}

void LanesPage::show_lanes(std::shared_ptr<figure::Lanes> lanes, const FigureSource& source) {
    canvas_->show_picture(std::move(lanes), source);
    place_->setCurrentWidget(canvas_);
}

std::shared_ptr<const figure::Lanes> LanesPage::lanes() const {
    return place_->currentWidget() == canvas_
               ? std::dynamic_pointer_cast<const figure::Lanes>(canvas_->picture())
               : nullptr;
}

void LanesPage::show_branches(const std::vector<Branch>& branches,
                              const std::vector<std::int64_t>& selected) {
    tree_->show_branches(branches, selected);
    below_->setVisible(!branches.empty());
}

bool LanesPage::difference() const { return difference_->isChecked(); }

void LanesPage::set_difference(bool on) { difference_->setChecked(on); }

void LanesPage::allow_difference(bool allowed) { difference_->setEnabled(allowed); }

} // namespace vitrine::views
