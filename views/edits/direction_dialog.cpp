#include "views/edits/direction_dialog.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>

#include "views/edits/strength.h"
#include "views/edits/strength_box.h"

namespace vitrine::views {

namespace {

constexpr double usual_strength = 4;
constexpr int dialog_width = 460;

} // namespace

DirectionDialog::DirectionDialog(Desk& desk, QWidget* parent)
    : QDialog(parent), desk_(desk), file_(new QLineEdit(this)), hook_(new QComboBox(this)),
      op_(new QComboBox(this)), positions_(new QComboBox(this)), strength_(new StrengthBox(this)),
      said_(new QLabel(this)), add_(new QPushButton(tr("Add"), this)) {
    setWindowTitle(tr("Add a direction"));
    setMinimumWidth(dialog_width);
    build();
    connect(file_, &QLineEdit::textChanged, this, &DirectionDialog::show_edit);
    for (QComboBox* box : {hook_, op_, positions_})
        connect(box, &QComboBox::currentTextChanged, this, &DirectionDialog::show_edit);
    connect(strength_, &QDoubleSpinBox::valueChanged, this, &DirectionDialog::show_edit);
    connect(add_, &QPushButton::clicked, this, &DirectionDialog::add);
    show_edit();
}

void DirectionDialog::build() {
    file_->setPlaceholderText(tr("direction.npy"));
    file_->setToolTip(
        tr("A vector as wide as the hook: a .npy file, such as\n"
           "vitrine-cli analyze steering-vector MODEL --prompts A.txt --set against=@B.txt --data "
           "direction.npy"));
    auto* open = new QPushButton(tr("Open…"), this);
    open->setAutoDefault(false);
    connect(open, &QPushButton::clicked, this, &DirectionDialog::browse);
    auto* file_row = new QHBoxLayout;
    file_row->addWidget(file_, 1);
    file_row->addWidget(open);
    const int layers = desk_.a() ? desk_.a()->layers : 1;
    for (int layer = 0; layer < layers; ++layer)
        hook_->addItem(QStringLiteral("blocks.%1.hook_resid_post").arg(layer));
    hook_->addItem(QStringLiteral("blocks.*.hook_resid_post"));
    hook_->setCurrentIndex(layers / 2); // where steering-vector reads unless it is told otherwise
    hook_->setEditable(true);
    hook_->setToolTip(tr("Where it acts: best where it was read; any hook, * for every layer"));
    op_->addItem(tr("add it"), QStringLiteral("add"));
    op_->addItem(tr("take it out (project-out)"), QStringLiteral("project-out"));
    op_->addItem(tr("cap its projection"), QStringLiteral("cap"));
    op_->setToolTip(
        tr("add: strength × the vector is added. project-out: what lies along it is removed. cap: "
           "what lies along it is at most strength"));
    strength_->setRange(-1e6, 1e6);
    strength_->setValue(usual_strength);
    strength_->setToolTip(tr("How often the vector is added, or the largest projection on it that is left"));
    positions_->addItem(tr("all tokens"), QStringLiteral("all"));
    positions_->addItem(tr("the prompt"), QStringLiteral("prompt"));
    positions_->addItem(tr("generated tokens"), QStringLiteral("new"));
    positions_->addItem(tr("no special tokens"), QStringLiteral("nonspecial"));
    positions_->setToolTip(tr("In a conversation the prompt is everything before the answer"));
    said_->setWordWrap(true);
    said_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    add_->setDefault(true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    buttons->addButton(add_, QDialogButtonBox::ActionRole);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* form = new QFormLayout(this);
    form->addRow(tr("File"), file_row);
    form->addRow(tr("Hook"), hook_);
    form->addRow(tr("What to do"), op_);
    form->addRow(tr("Strength"), strength_);
    form->addRow(tr("On"), positions_);
    form->addRow(said_);
    form->addRow(buttons);
}

void DirectionDialog::set_file(const QString& file) { file_->setText(file); }

void DirectionDialog::browse() {
    const QString file = QFileDialog::getOpenFileName(this, tr("A direction"), file_->text(),
                                                      tr("Directions (*.npy);;All files (*)"));
    if (!file.isEmpty()) set_file(file);
}

QString DirectionDialog::edit() const {
    const QString file = file_->text().trimmed();
    if (file.isEmpty()) return {};
    const QString op = op_->currentData().toString(), positions = positions_->currentData().toString();
    const QString quoted =
        file.contains(QLatin1Char(' ')) ? QStringLiteral("@\"%1\"").arg(file) : QLatin1Char('@') + file;
    const QString number = number_word(strength_->value());
    QString out = hook_->currentText().trimmed();
    if (positions != QLatin1String("all")) out += QStringLiteral(" pos=") + positions;
    out += QLatin1Char(' ') + op + QLatin1Char(' ');
    if (op == QLatin1String("add")) return out + number + QLatin1Char('*') + quoted;
    if (op == QLatin1String("cap")) out += number + QLatin1Char(' ');
    return out + quoted;
}

void DirectionDialog::show_edit() {
    const QString text = edit();
    strength_->setEnabled(op_->currentData().toString() != QLatin1String("project-out"));
    add_->setEnabled(!text.isEmpty());
    said_->setStyleSheet(QStringLiteral("color: %1").arg(desk_.theme().muted.name()));
    said_->setText(text.isEmpty() ? tr("Open a vector that steering-vector has written with --data F.npy.")
                                  : text);
}

void DirectionDialog::add() {
    const QString wrong = desk_.edits.add(edit());
    if (wrong.isEmpty()) return accept();
    said_->setStyleSheet(QStringLiteral("color: %1").arg(desk_.theme().warning.name()));
    said_->setText(wrong);
}

} // namespace vitrine::views
