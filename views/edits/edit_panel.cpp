#include "views/edits/edit_panel.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QShortcut>
#include <QToolButton>
#include <QVBoxLayout>

#include "views/edits/strength.h"
#include "views/edits/strength_box.h"

namespace vitrine::views {

namespace {

// The panel is narrow: what is wrong, without the list of what would be right, which is on hover.
QString in_short(const QString& sentence) {
    constexpr qsizetype most = 110;
    if (sentence.size() <= most) return sentence;
    const qsizetype end = sentence.lastIndexOf(QLatin1Char(';'), most);
    return end < 20 ? sentence : sentence.left(end) + QStringLiteral(". …");
}

constexpr double largest_strength = 1e9;

} // namespace

EditPanel::EditPanel(Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), about_(new QLabel(this)), list_(new QListWidget(this)),
      strength_row_(new QWidget(this)), op_(new QLabel(strength_row_)),
      strength_(new StrengthBox(strength_row_)), field_(new QLineEdit(this)), wrong_(new QLabel(this)),
      ablate_(new QPushButton(this)), sets_(new SetMenu(desk, this)), sets_button_(new QToolButton(this)) {
    about_->setWordWrap(true);
    about_->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    wrong_->setWordWrap(true);
    wrong_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    build_list();
    build_strength();
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
    sets_button_->setText(tr("Sets"));
    sets_button_->setMenu(sets_);
    sets_button_->setPopupMode(QToolButton::InstantPopup);
    sets_button_->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Expanding);
    sets_button_->setToolTip(
        tr("A set is this list kept under a name. Save, load, rename or delete one; copy "
           "the list as --edit options; remove all"));
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(ablate_, 1);
    buttons->addWidget(sets_button_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 4, 8, 6);
    column->setSpacing(5);
    column->addWidget(about_);
    column->addWidget(list_, 1);
    column->addWidget(strength_row_);
    column->addWidget(field_);
    column->addWidget(wrong_);
    column->addLayout(buttons);

    connect(&desk_.edits, &EditList::changed, this, &EditPanel::refill);
    connect(&desk_.edits, &EditList::problem_changed, this, &EditPanel::refresh_words);
    connect(&desk_.edit_sets, &EditSets::changed, this, &EditPanel::refresh_words);
    connect(&desk_, &Desk::theme_changed, this, &EditPanel::refill);
    connect(&desk_, &Desk::run_changed, this, &EditPanel::refresh_words);
    connect(&desk_.selection, &Selection::changed, this, &EditPanel::refresh_words);
    connect(field_, &QLineEdit::returnPressed, this, &EditPanel::add);
    connect(field_, &QLineEdit::textChanged, this, [this] { say({}); });
    connect(sets_, &SetMenu::refused, this, &EditPanel::say);
    connect(ablate_, &QPushButton::clicked, this, [this] {
        const Place& place = desk_.selection.place();
        desk_.edits.toggle_head(place.layer, place.head);
    });
    refill();
}

void EditPanel::build_list() {
    list_->setMinimumHeight(36);
    list_->setFrameShape(QFrame::NoFrame);
    list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    list_->setTextElideMode(Qt::ElideMiddle);
    list_->setContextMenuPolicy(Qt::CustomContextMenu);
    list_->setAccessibleName(tr("Interventions"));
    list_->setDragDropMode(QAbstractItemView::InternalMove);
    list_->setDefaultDropAction(Qt::MoveAction);
    list_->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed);
    connect(list_, &QListWidget::itemChanged, this, &EditPanel::take_item);
    connect(list_, &QListWidget::currentRowChanged, this, &EditPanel::show_strength);
    connect(list_, &QListWidget::customContextMenuRequested, this, &EditPanel::show_menu);
    connect(
        list_->model(), &QAbstractItemModel::rowsMoved, this,
        [this](const QModelIndex&, int from, int, const QModelIndex&, int before) {
            if (!filling_) desk_.edits.move(from, before > from ? before - 1 : before);
        },
        Qt::QueuedConnection); // the drop is done by then
    const auto key = [this](const QKeySequence& keys, const std::function<void()>& act) {
        auto* shortcut = new QShortcut(keys, list_, nullptr, nullptr, Qt::WidgetShortcut);
        connect(shortcut, &QShortcut::activated, this, act);
    };
    key(QKeySequence::Delete, [this] { desk_.edits.remove(list_->currentRow()); });
    key(QKeySequence(Qt::ALT | Qt::Key_Up), [this] { move_current(-1); });
    key(QKeySequence(Qt::ALT | Qt::Key_Down), [this] { move_current(1); });
}

void EditPanel::build_strength() {
    strength_->setAccessibleName(tr("Strength"));
    strength_->setToolTip(
        tr("How strong the chosen intervention is: the factor of scale, what add puts in (or "
           "how often its direction), the value of set, the largest projection that cap "
           "leaves, the share that calibrate leaves"));
    op_->setToolTip(strength_->toolTip());
    auto* row = new QHBoxLayout(strength_row_);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(6);
    row->addWidget(op_);
    row->addWidget(strength_, 1);
    connect(strength_, &QDoubleSpinBox::valueChanged, this, [this](double value) {
        const Edit* edit = current();
        if (filling_ || edit == nullptr) return;
        say(desk_.edits.turn(list_->currentRow(), with_strength(edit->text, value)));
        if (!sentence_.isEmpty()) show_strength();
    });
    connect(strength_, &QDoubleSpinBox::editingFinished, this, [this] { desk_.edits.settle(); });
}

const Edit* EditPanel::current() const {
    const int row = list_->currentRow();
    return row < 0 || row >= static_cast<int>(desk_.edits.all().size())
               ? nullptr
               : &desk_.edits.all()[static_cast<std::size_t>(row)];
}

void EditPanel::show_strength() {
    const Edit* edit = current();
    const auto strength = edit != nullptr ? strength_of(edit->text) : std::nullopt;
    strength_row_->setVisible(strength.has_value());
    if (!strength) return;
    const QSignalBlocker quiet(strength_);
    const bool share = strength->op == QLatin1String("calibrate");
    op_->setText(strength->op);
    strength_->setRange(share ? 0 : -largest_strength, share ? 1 : largest_strength);
    strength_->setValue(strength->value);
}

void EditPanel::say(const QString& sentence) {
    sentence_ = sentence;
    if (!sentence.isEmpty()) emit refused(sentence);
    refresh_words();
}

// What was done to a line: its box was ticked, or its text written anew.
void EditPanel::take_item(QListWidgetItem* item) {
    const int row = list_->row(item);
    if (filling_ || row < 0 || row >= static_cast<int>(desk_.edits.all().size())) return;
    const Edit edit = desk_.edits.all()[static_cast<std::size_t>(row)];
    if (item->text() == edit.text) return desk_.edits.set_on(row, item->checkState() == Qt::Checked);
    const QString wrong = desk_.edits.replace(row, item->text());
    refill(); // as it is kept: the old text, or the new one without needless spaces
    say(wrong);
}

void EditPanel::move_current(int by) {
    const int to = list_->currentRow() + by;
    if (current() == nullptr || to < 0 || to >= list_->count()) return;
    desk_.edits.move(list_->currentRow(), to);
    list_->setCurrentRow(to);
}

void EditPanel::show_menu(const QPoint& at) {
    const int row = list_->row(list_->itemAt(at));
    if (row < 0) return;
    const Edit edit = desk_.edits.all()[static_cast<std::size_t>(row)];
    QMenu menu(this);
    menu.addAction(edit.on ? tr("Switch off\tSpace") : tr("Switch on\tSpace"), this,
                   [this, row, edit] { desk_.edits.set_on(row, !edit.on); });
    menu.addAction(tr("Write anew\tF2"), this, [this, row] { list_->editItem(list_->item(row)); });
    menu.addAction(tr("Earlier\tAlt+Up"), this, [this] { move_current(-1); })->setEnabled(row > 0);
    menu.addAction(tr("Later\tAlt+Down"), this, [this] { move_current(1); })
        ->setEnabled(row + 1 < list_->count());
    menu.addAction(tr("Copy as --edit option"), this,
                   [edit] { QApplication::clipboard()->setText(command_options({edit.text}).trimmed()); });
    menu.addAction(tr("Remove\tDel"), this, [this, row] { desk_.edits.remove(row); });
    list_->setCurrentRow(row);
    menu.exec(list_->viewport()->mapToGlobal(at));
}

QString EditPanel::said() const { return sentence_.isEmpty() ? desk_.edits.problem() : sentence_; }

void EditPanel::add() {
    if (field_->text().trimmed().isEmpty()) return;
    const QString wrong = desk_.edits.add(field_->text());
    if (wrong.isEmpty())
        field_->clear();
    else
        say(wrong);
    refresh_words();
}

// Line by line: what is being looked at or written stays as it is.
void EditPanel::refill() {
    filling_ = true;
    const auto& edits = desk_.edits.all();
    const int before = list_->count(), count = static_cast<int>(edits.size());
    const bool one_less = before == count + 1;
    if (one_less) { // the one that went, so that the chosen one stays chosen
        int gone = 0;
        while (gone < count && list_->item(gone)->text() == edits[static_cast<std::size_t>(gone)].text)
            ++gone;
        delete list_->takeItem(gone);
    }
    while (list_->count() > count)
        delete list_->takeItem(list_->count() - 1);
    while (list_->count() < count)
        list_->addItem(new QListWidgetItem);
    for (int i = 0; i < count; ++i) {
        const Edit& edit = edits[static_cast<std::size_t>(i)];
        QListWidgetItem* item = list_->item(i);
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable |
                       Qt::ItemIsEditable | Qt::ItemIsDragEnabled);
        item->setText(edit.text);
        item->setCheckState(edit.on ? Qt::Checked : Qt::Unchecked);
        item->setToolTip(tr("%1\nInterventions apply in this order: drag, or Alt+Up and Alt+Down. A double "
                            "click (F2) writes it anew, Delete removes it.")
                             .arg(edit.text));
        item->setFont(desk_.theme().fixed_font());
    }
    if (count > before) list_->setCurrentRow(count - 1);
    if (list_->currentRow() < 0 && count > 0) list_->setCurrentRow(0);
    filling_ = false;
    show_strength();
    refresh_words();
}

QString EditPanel::about() const {
    if (!desk_.edits.all().empty()) {
        const QString name = desk_.edit_sets.name_of(desk_.edits.all());
        const QString what =
            desk_.edits.active().isEmpty() ? tr("All are switched off: B is the pinned run, if there is one.")
            : desk_.edits.on_prompt().isEmpty() ? tr("pos=new: acts on what is generated from here.")
                                                : tr("A is the clean run, B the edited one.");
        return name.isEmpty() ? what : tr("Set \"%1\". %2").arg(name, what);
    }
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
    if (none) strength_row_->hide();
    static_cast<QVBoxLayout*>(layout())->setStretchFactor(about_, none ? 1 : 0);
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
