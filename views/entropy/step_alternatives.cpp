#include "views/entropy/step_alternatives.h"

#include <QLabel>
#include <QListWidget>
#include <QShortcut>
#include <QVBoxLayout>

#include "views/shared/desk.h"

namespace vitrine::views {

namespace {

constexpr int id_role = Qt::UserRole;

} // namespace

StepAlternatives::StepAlternatives(const Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), title_(new QLabel(this)), list_(new QListWidget(this)) {
    title_->setWordWrap(true);
    list_->setFrameShape(QFrame::NoFrame);
    list_->setAccessibleName(tr("Tokens that could stand there"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 2, 0, 0);
    column->setSpacing(2);
    column->addWidget(title_);
    column->addWidget(list_, 1);
    column->addStretch(0);
    connect(list_, &QListWidget::itemClicked, this, &StepAlternatives::choose);
    auto* enter = new QShortcut(QKeySequence(Qt::Key_Return), list_);
    enter->setContext(Qt::WidgetShortcut);
    connect(enter, &QShortcut::activated, this, [this] { choose(list_->currentItem()); });
    show_nothing();
}

void StepAlternatives::choose(const QListWidgetItem* item) {
    // The token that stands there is no choice.
    if (item && (item->flags() & Qt::ItemIsEnabled)) emit chosen(item->data(id_role).toInt());
}

void StepAlternatives::show_nothing() {
    list_->clear();
    list_->hide(); // the words need its room
    title_->setText(tr("Click a step: the tokens that could have stood there appear here, and choosing one "
                       "continues from it as a branch."));
}

void StepAlternatives::show_offers(int step, const Offer& own, const std::vector<Offer>& offers) {
    list_->clear();
    list_->show();
    title_->setText(tr("Step %1, in place of <b>%2</b>:").arg(step).arg(own.token.toHtmlEscaped()));
    for (const Offer& offer : offers) {
        auto* item = new QListWidgetItem(
            QStringLiteral("%1   %2").arg(offer.token, figure::percent(offer.prob)), list_);
        item->setFont(desk_.theme().fixed_font());
        item->setData(id_role, offer.id);
        item->setToolTip(offer.id == own.id ? tr("This is the token that stands there.")
                                            : tr("Continue from here with this token (id %1)").arg(offer.id));
        if (offer.id == own.id) item->setFlags(Qt::NoItemFlags);
    }
}

} // namespace vitrine::views
