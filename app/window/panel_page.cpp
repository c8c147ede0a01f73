#include "app/window/panel_page.h"

#include <QHBoxLayout>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

namespace vitrine::window {

namespace {

constexpr double least_share = 0.5; ///< of the width: the main picture keeps half of the page
constexpr double most_share = 0.8;

double share_in(const Json& json, const char* name, double otherwise, double least, double most) {
    const auto found = json.is_object() ? json.find(name) : json.end();
    return json.is_object() && found != json.end() && found->is_number()
               ? std::clamp(found->get<double>(), least, most)
               : otherwise;
}

} // namespace

PanelPage::PanelPage(Bench& bench, views::Desk& desk, Runner& runner, const QString& topic, const Panel& main,
                     const std::vector<Panel>& beside, QWidget* parent)
    : QWidget(parent), bench_(bench), desk_(desk), runner_(runner), topic_(topic),
      across_(new QSplitter(Qt::Horizontal, this)), down_(new QSplitter(Qt::Vertical, this)),
      fold_(new QToolButton(this)) {
    main_ = make(main);
    build(main_, beside);
}

PanelPage::PanelPage(Bench& bench, views::Desk& desk, Runner& runner, const QString& topic, QWidget* main,
                     const std::vector<Panel>& beside, QWidget* parent)
    : QWidget(parent), bench_(bench), desk_(desk), runner_(runner), topic_(topic),
      across_(new QSplitter(Qt::Horizontal, this)), down_(new QSplitter(Qt::Vertical, this)),
      fold_(new QToolButton(this)) {
    build(main, beside);
}

AnalysisPage* PanelPage::make(const Panel& panel) {
    auto* out = new AnalysisPage(bench_, desk_, runner_, panel.ids, topic_, this);
    out->set_live(true);
    out->show_only(panel.results);
    if (panel.painter) out->set_painter(panel.painter);
    if (!panel.values.empty()) out->set_values(panel.values);
    return out;
}

void PanelPage::build(QWidget* main, const std::vector<Panel>& beside) {
    main_widget_ = main;
    across_->setChildrenCollapsible(false);
    down_->setChildrenCollapsible(false);
    across_->addWidget(main);
    for (const Panel& panel : beside) {
        beside_.push_back(make(panel));
        beside_.back()->stand_beside();
        down_->addWidget(beside_.back());
    }
    across_->addWidget(down_);
    fold_->setCheckable(true);
    fold_->setAutoRaise(true);
    fold_->setFixedWidth(16);
    fold_->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Expanding);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* row = new QHBoxLayout;
    row->setSpacing(0);
    row->addWidget(across_, 1);
    row->addWidget(fold_);
    column->addLayout(row, 1);
    connect(fold_, &QToolButton::toggled, this, [this](bool away) {
        fold(away);
        emit state_changed();
    });
    connect(across_, &QSplitter::splitterMoved, this, [this] {
        share_ = std::clamp(across_->sizes().front() / std::max(1.0, 1.0 * across_->width()), least_share,
                            most_share);
        place();
        emit state_changed();
    });
    connect(down_, &QSplitter::splitterMoved, this, [this] {
        upper_ = down_->sizes().front() / std::max(1.0, 1.0 * down_->height());
        emit state_changed();
    });
    fold_->setVisible(!beside_.empty());
    fold(beside_.empty());
}

std::vector<AnalysisPage*> PanelPage::panels() const {
    std::vector<AnalysisPage*> out;
    if (main_) out.push_back(main_);
    out.insert(out.end(), beside_.begin(), beside_.end());
    return out;
}

views::FigureCanvas* PanelPage::canvas() const {
    return main_ ? main_->canvas() : main_widget_->findChild<views::FigureCanvas*>();
}

void PanelPage::fold(bool away) {
    down_->setVisible(!away);
    fold_->setArrowType(away ? Qt::LeftArrow : Qt::RightArrow);
    const QString what = away ? tr("Show the pictures beside") : tr("Fold the pictures beside away");
    fold_->setToolTip(what);
    fold_->setAccessibleName(what);
}

void PanelPage::place() {
    const int width = across_->width();
    const int main = static_cast<int>(share_ * width);
    across_->setSizes({main, width - main});
    if (beside_.size() < 2) return;
    const int height = down_->height();
    const int upper = static_cast<int>(upper_ * height);
    down_->setSizes({upper, height - upper});
}

void PanelPage::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    place();
}

void PanelPage::set_header(QWidget* header) { static_cast<QVBoxLayout*>(layout())->insertWidget(0, header); }

Json PanelPage::arrangement() const {
    return {{"share", share_}, {"upper", upper_}, {"folded", fold_->isChecked()}};
}

void PanelPage::arrange(const Json& arrangement) {
    share_ = share_in(arrangement, "share", 0.6, least_share, most_share);
    upper_ = share_in(arrangement, "upper", usual_upper_, 0.15, 0.85);
    const auto folded = arrangement.is_object() ? arrangement.find("folded") : arrangement.end();
    fold_->setChecked(arrangement.is_object() && folded != arrangement.end() && folded->is_boolean() &&
                      folded->get<bool>());
    place();
}

} // namespace vitrine::window
