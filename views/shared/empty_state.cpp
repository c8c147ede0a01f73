#include "views/shared/empty_state.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

namespace vitrine::views {

EmptyState::EmptyState(QWidget* parent)
    : QWidget(parent), sentence_(new QLabel(this)), button_(new QPushButton(this)) {
    sentence_->setWordWrap(true);
    sentence_->setAlignment(Qt::AlignCenter);
    sentence_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    sentence_->setMaximumWidth(560);
    auto* column = new QVBoxLayout(this);
    column->addStretch(2);
    auto* row = new QHBoxLayout; // an alignment would leave a wrapped label too low for its lines
    row->addStretch(1);
    row->addWidget(sentence_, 1000);
    row->addStretch(1);
    column->addLayout(row);
    column->addSpacing(8);
    column->addWidget(button_, 0, Qt::AlignHCenter);
    column->addStretch(3);
    sentence_->setMinimumWidth(360);
    connect(button_, &QPushButton::clicked, this, &EmptyState::pressed);
}

void EmptyState::say(const QString& sentence, const QString& button) {
    sentence_->setText(sentence);
    button_->setText(button);
    button_->setVisible(!button.isEmpty());
}

} // namespace vitrine::views
