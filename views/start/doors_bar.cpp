#include "views/start/doors_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>

namespace vitrine::views {

DoorsBar::DoorsBar(Desk& desk, std::vector<Door> doors, QWidget* parent)
    : QWidget(parent), desk_(desk), doors_(std::move(doors)), words_(new QLabel(this)),
      more_(new QToolButton(this)), close_(new QToolButton(this)) {
    setObjectName(QStringLiteral("doors"));
    setAttribute(Qt::WA_StyledBackground);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 5, 8, 5);
    row->setSpacing(8);
    words_->setWordWrap(true);
    words_->setTextFormat(Qt::RichText);
    words_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    row->addWidget(words_);
    for (const Door& door : doors_) {
        auto* button = new QPushButton(door.title, this);
        button->setToolTip(door.tip);
        connect(button, &QPushButton::clicked, this, [this, id = door.id] { emit door_wanted(id); });
        row->addWidget(button);
        buttons_.push_back(button);
    }
    row->addStretch(1);
    more_->setText(tr("Other examples"));
    close_->setText(tr("Close"));
    close_->setToolTip(tr("Ctrl+K finds the examples again"));
    row->addWidget(more_, 0, Qt::AlignTop);
    row->addWidget(close_, 0, Qt::AlignTop);
    connect(more_, &QToolButton::clicked, this, &DoorsBar::show_doors);
    connect(close_, &QToolButton::clicked, this, [this] {
        hide();
        emit closed();
    });
    connect(&desk_, &Desk::theme_changed, this, &DoorsBar::restyle);
    restyle();
    show_doors();
}

void DoorsBar::restyle() {
    const figure::Theme& theme = desk_.theme();
    setStyleSheet(QStringLiteral("#doors { background: %1; border-bottom: 1px solid %2; }")
                      .arg(figure::blend(theme.window, theme.accent, 0.10).name(), theme.line.name()));
}

void DoorsBar::show_doors() {
    words_->setText(tr("<b>New here?</b> See"));
    static_cast<QHBoxLayout*>(layout())->setStretchFactor(words_, 0);
    for (QPushButton* button : buttons_)
        button->show();
    more_->hide();
    show();
}

void DoorsBar::tell(const QString&, const QString& story) {
    words_->setText(story);
    static_cast<QHBoxLayout*>(layout())->setStretchFactor(words_, 1000); // all but the stretch's share
    for (QPushButton* button : buttons_)
        button->hide();
    more_->show();
    show();
}

QString DoorsBar::story() const {
    return buttons_.empty() || buttons_.front()->isHidden() ? words_->text() : QString();
}

} // namespace vitrine::views
