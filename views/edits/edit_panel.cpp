#include "views/edits/edit_panel.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPushButton>
#include <QShortcut>
#include <QVBoxLayout>

namespace vitrine::views {

namespace {

// The panel is narrow: what is wrong, without the list of what would be right, which is on hover.
QString in_short(const QString& sentence) {
    constexpr qsizetype most = 110;
    if (sentence.size() <= most) return sentence;
    const qsizetype end = sentence.lastIndexOf(QLatin1Char(';'), most);
    return end < 20 ? sentence : sentence.left(end) + QStringLiteral(". …");
}

} // namespace

EditPanel::EditPanel(Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), about_(new QLabel(this)), list_(new QListWidget(this)),
      field_(new QLineEdit(this)), wrong_(new QLabel(this)), ablate_(new QPushButton(this)),
      clear_(new QPushButton(tr("Clear"), this)) {
    about_->setWordWrap(true);
    about_->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    list_->setMinimumHeight(36);
    wrong_->setWordWrap(true);
    wrong_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    list_->setFrameShape(QFrame::NoFrame);
    list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    list_->setTextElideMode(Qt::ElideMiddle);
    list_->setContextMenuPolicy(Qt::CustomContextMenu);
    list_->setAccessibleName(tr("Interventions"));
    field_->setPlaceholderText(tr("L3H5 zero"));
    field_->setAccessibleName(tr("New intervention"));
    field_->setToolTip(
        tr("HOOK [pos=P] [head=H] [channel=C] [key=K] OP [VALUE], as --edit on the command line.\n"
           "L3H5 zero – takes a head's output out\n"
           "L3H5 pos=4 mean – puts its mean over the text there, at one position\n"
           "blocks.2.hook_mlp_out scale 0.5 – halves an MLP\n"
           "blocks.1.attn.hook_attn_scores head=2 key=0 mask – hides the first token from a head\n"
           "attention window=64 sinks=4 – keeps only the last 64 keys and the first 4, as --attention\n"
           "OP: zero, scale X, add X, set X, mask, mean, calibrate BETA THRESHOLD, from row=1 (the pinned "
           "run), …"));
    clear_->setToolTip(tr("Remove all interventions"));
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(ablate_, 1);
    buttons->addWidget(clear_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 4, 8, 6);
    column->setSpacing(5);
    column->addWidget(about_);
    column->addWidget(list_, 1);
    column->addWidget(field_);
    column->addWidget(wrong_);
    column->addLayout(buttons);

    connect(&desk_.edits, &EditList::changed, this, &EditPanel::refill);
    connect(&desk_.edits, &EditList::problem_changed, this, &EditPanel::refresh_words);
    connect(&desk_, &Desk::theme_changed, this, &EditPanel::refresh_words);
    connect(&desk_, &Desk::run_changed, this, &EditPanel::refresh_words);
    connect(&desk_.selection, &Selection::changed, this, &EditPanel::refresh_words);
    connect(field_, &QLineEdit::returnPressed, this, &EditPanel::add);
    connect(field_, &QLineEdit::textChanged, this, [this] {
        sentence_.clear();
        refresh_words();
    });
    connect(clear_, &QPushButton::clicked, this, [this] { desk_.edits.clear(); });
    connect(ablate_, &QPushButton::clicked, this, [this] {
        const Place& place = desk_.selection.place();
        desk_.edits.toggle_head(place.layer, place.head);
    });
    connect(list_, &QListWidget::itemChanged, this, [this](QListWidgetItem* item) {
        if (!filling_) desk_.edits.set_on(list_->row(item), item->checkState() == Qt::Checked);
    });
    connect(list_, &QListWidget::itemDoubleClicked, this, [this](QListWidgetItem* item) {
        field_->setText(item->text()); // to be changed and added again
        field_->setFocus();
    });
    connect(list_, &QWidget::customContextMenuRequested, this, [this](const QPoint& at) {
        const int row = list_->row(list_->itemAt(at));
        if (row < 0) return;
        const Edit edit = desk_.edits.all()[static_cast<std::size_t>(row)];
        QMenu menu(this);
        menu.addAction(edit.on ? tr("Switch off") : tr("Switch on"), this,
                       [this, row, edit] { desk_.edits.set_on(row, !edit.on); });
        menu.addAction(tr("Remove"), this, [this, row] { desk_.edits.remove(row); });
        menu.exec(list_->viewport()->mapToGlobal(at));
    });
    auto* remove = new QShortcut(QKeySequence::Delete, list_, nullptr, nullptr, Qt::WidgetShortcut);
    connect(remove, &QShortcut::activated, this, [this] { desk_.edits.remove(list_->currentRow()); });
    refill();
}

QString EditPanel::said() const { return sentence_.isEmpty() ? desk_.edits.problem() : sentence_; }

void EditPanel::add() {
    if (field_->text().trimmed().isEmpty()) return;
    sentence_ = desk_.edits.add(field_->text());
    if (sentence_.isEmpty())
        field_->clear();
    else
        emit refused(sentence_);
    refresh_words();
}

void EditPanel::refill() {
    filling_ = true;
    const int row = list_->currentRow();
    list_->clear();
    for (const Edit& edit : desk_.edits.all()) {
        auto* item = new QListWidgetItem(edit.text, list_);
        item->setFlags(item->flags() | Qt::ItemIsUserCheckable);
        item->setCheckState(edit.on ? Qt::Checked : Qt::Unchecked);
        item->setToolTip(tr("%1\nDelete removes it, a double click takes it into the field.").arg(edit.text));
        item->setFont(desk_.theme().fixed_font());
    }
    list_->setCurrentRow(std::min(row, list_->count() - 1));
    filling_ = false;
    refresh_words();
}

QString EditPanel::about() const {
    if (!desk_.edits.all().empty())
        return desk_.edits.active().isEmpty()
                   ? tr("All are switched off: B is the pinned run, if there is one.")
                   : tr("A is the clean run, B the edited one.");
    const QString whole = tr("Nothing is changed inside the model. Space takes the selected head out.");
    const QString brief = tr("Nothing is changed.");
    // What stands beneath keeps its place: a low panel says less instead of half a sentence.
    const int room = height() - field_->sizeHint().height() - ablate_->sizeHint().height() - 20;
    const int width = this->width() - 16;
    const QFontMetrics metrics(about_->font());
    const auto fits = [&](const QString& text) {
        return metrics.boundingRect(QRect(0, 0, width, 10000), Qt::TextWordWrap, text).height() <= room;
    };
    return fits(whole) ? whole : fits(brief) ? brief : QString();
}

void EditPanel::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    about_->setText(about());
}

void EditPanel::refresh_words() {
    const figure::Theme& theme = desk_.theme();
    const bool none = desk_.edits.all().empty();
    about_->setText(about());
    about_->setStyleSheet(QStringLiteral("color: %1").arg(theme.muted.name()));
    list_->setVisible(!none);
    static_cast<QVBoxLayout*>(layout())->setStretchFactor(about_, none ? 1 : 0);
    clear_->setEnabled(!none);
    const Place& place = desk_.selection.place();
    const QString name = QStringLiteral("L%1 H%2").arg(place.layer).arg(place.head);
    ablate_->setText(desk_.edits.of_head(place.layer, place.head).empty()  ? tr("Ablate %1").arg(name)
                     : desk_.edits.head_is_edited(place.layer, place.head) ? tr("%1 off").arg(name)
                                                                           : tr("%1 on").arg(name));
    ablate_->setEnabled(desk_.a() != nullptr);
    ablate_->setToolTip(
        tr("Takes the output of the selected head out, or switches its interventions (Space)"));
    wrong_->setText(in_short(said()));
    wrong_->setToolTip(said());
    wrong_->setStyleSheet(QStringLiteral("color: %1").arg(theme.warning.name()));
    wrong_->setVisible(!said().isEmpty());
    about_->setVisible(said().isEmpty()); // in a low window one of the two has room
}

} // namespace vitrine::views
