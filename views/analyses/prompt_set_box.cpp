#include "views/analyses/prompt_set_box.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QSignalBlocker>

namespace vitrine::views {

namespace {

constexpr QLatin1String ask(":file"); // key of "Prompts of a file…"

} // namespace

PromptSetBox::PromptSetBox(QWidget* parent) : QComboBox(parent) {
    addItem(tr("This text"), QString());
    addItem(tr("Prompts of a file…"), QString(ask));
    setToolTip(
        tr("What is measured: the text above, a set of prompts that comes with the program, or a file: "
           "one prompt a line, JSON lines with \"prompt\", or CSV. Rows have equal weight."));
    setAccessibleName(tr("Measured on"));
    setSizeAdjustPolicy(QComboBox::AdjustToContents);
    connect(this, &QComboBox::currentIndexChanged, this, [this] {
        const QString wanted = currentData().toString();
        if (wanted == ask) {
            ask_for_file();
        } else if (wanted != key_) {
            key_ = wanted;
            emit chosen(key_);
        }
    });
}

void PromptSetBox::add_choice(const QString& text, const QString& key) { insertItem(1, text, key); }

void PromptSetBox::show_sets(const std::vector<PromptSet>& sets) {
    for (const PromptSet& set : sets) {
        if (findData(set.file) >= 0) continue;
        insertItem(findData(QString(ask)), set.name, set.file);
        setItemData(findData(set.file), set.about, Qt::ToolTipRole);
    }
}

QString PromptSetBox::file() const { return key_.startsWith(QLatin1Char(':')) ? QString() : key_; }

QString PromptSetBox::file_name() const { return QFileInfo(file()).fileName(); }

void PromptSetBox::choose(const QString& key) {
    if (findData(key) < 0) {
        if (key.startsWith(QLatin1Char(':'))) return;
        insertItem(findData(QString(ask)), tr("Prompts of %1").arg(QFileInfo(key).fileName()), key);
        setItemData(findData(key), key, Qt::ToolTipRole);
    }
    setCurrentIndex(findData(key));
}

void PromptSetBox::ask_for_file() {
    {
        const QSignalBlocker quiet(this); // what was chosen stays so until a file is
        setCurrentIndex(findData(key_));
    }
    const QString file = QFileDialog::getOpenFileName(
        this, tr("A file of prompts: one a line, JSON lines with \"prompt\", or CSV"));
    if (!file.isEmpty()) choose(file);
}

} // namespace vitrine::views
