#include "views/model/model_page.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "views/figure/figure_for.h"

namespace vitrine::views {

ModelPage::ModelPage(Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), check_(new QLabel(this)), again_(new QPushButton(this)),
      accept_(new QPushButton(tr("Accept"), this)), scroll_(new FigureScroll(desk, this)) {
    check_->setWordWrap(true);
    check_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* export_button = new QPushButton(tr("Export…"), this);
    export_button->setToolTip(tr("The tables as a figure or as numbers (E)"));
    auto* head = new QHBoxLayout;
    head->setSpacing(8);
    head->addWidget(check_, 1);
    head->addWidget(accept_);
    head->addWidget(again_);
    head->addWidget(export_button);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 6, 8, 0);
    column->setSpacing(6);
    column->addLayout(head);
    column->addWidget(scroll_, 1);
    connect(export_button, &QPushButton::clicked, this,
            [this] { emit desk_.export_wanted(scroll_->canvas()); });
    connect(again_, &QPushButton::clicked, this, [this] {
        if (state_ == Check::running)
            emit cancel_wanted();
        else
            emit check_wanted();
    });
    accept_->setToolTip(tr("Go on with this device; the warning goes, and this is remembered"));
    connect(accept_, &QPushButton::clicked, this, &ModelPage::accept_wanted);
    connect(&desk_, &Desk::theme_changed, this, &ModelPage::redraw);
    show_check(tr("No model is open."), Check::good);
}

void ModelPage::show_facts(std::vector<engine::ResultValue> facts, const QString& command,
                           const Json& provenance) {
    facts_ = std::move(facts);
    command_ = command;
    provenance_ = provenance;
    redraw();
}

void ModelPage::show_check(const QString& sentence, Check state) {
    sentence_ = sentence;
    state_ = state;
    const bool running = state == Check::running;
    accept_->setVisible(state == Check::outside);
    again_->setText(running ? tr("Cancel") : tr("Check again"));
    again_->setToolTip(running ? tr("Stops the self-check")
                               : tr("Compares this device with the CPU once more"));
    redraw();
}

void ModelPage::redraw() {
    const figure::Theme& theme = desk_.theme();
    check_->setText(sentence_);
    check_->setStyleSheet(
        QStringLiteral("color: %1")
            .arg((state_ == Check::unknown || state_ == Check::outside ? theme.warning : theme.text).name()));
    if (facts_.empty()) return;
    FigureSource source;
    source.name = QStringLiteral("model");
    source.topic = QStringLiteral("model");
    source.command = command_;
    source.provenance = provenance_;
    source.results = [facts = facts_] { return facts; };
    scroll_->show_picture(figure::figure_for(facts_, theme), source);
}

} // namespace vitrine::views
