#include "views/cause/pair_table.h"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <set>
#include <utility>

namespace vitrine::views {

namespace {

enum Cell { clean_cell, corrupted_cell, answer_cell, distractor_cell, fits_cell, cells_of_row };

constexpr std::size_t most_steps = 200; ///< that are remembered for undo

} // namespace

PairTable::PairTable(Outside outside, QWidget* parent)
    : QDialog(parent), outside_(std::move(outside)), table_(new QTableWidget(0, cells_of_row, this)),
      said_(new QLabel(this)), use_(new QPushButton(tr("Save and use…"), this)) {
    setWindowTitle(tr("A set of your own"));
    build();
    connect(table_, &QTableWidget::cellChanged, this, [this](int row, int column) {
        if (!filling_ && column != fits_cell) changed(row);
    });
    fill({});
    resize(980, 460);
}

void PairTable::build() {
    table_->setHorizontalHeaderLabels(
        {tr("Clean prompt"), tr("Corrupted prompt"), tr("Answer"), tr("Distractor"), tr("Fits this model")});
    const QStringList tips{
        tr("The prompt that the model answers as it should"),
        tr("The same with what decides the answer changed; equally many tokens"),
        tr("What comes next in the clean prompt: one token, with its leading space"),
        tr("What comes next in the corrupted prompt: the metric logit-diff subtracts it"),
        tr("Whether both prompts are of one length in tokens, and answer and distractor of one "
           "token each")};
    for (int column = 0; column < cells_of_row; ++column)
        table_->horizontalHeaderItem(column)->setToolTip(tips[column]);
    table_->horizontalHeader()->setSectionResizeMode(QHeaderView::Interactive);
    table_->horizontalHeader()->setSectionResizeMode(clean_cell, QHeaderView::Stretch);
    table_->horizontalHeader()->setSectionResizeMode(corrupted_cell, QHeaderView::Stretch);
    table_->setColumnWidth(answer_cell, 110);
    table_->setColumnWidth(distractor_cell, 110);
    table_->setColumnWidth(fits_cell, 150);
    table_->setTextElideMode(Qt::ElideMiddle); // pairs differ inside, and end with what is asked
    table_->setAccessibleName(tr("Pairs"));
    said_->setWordWrap(true);
    use_->setDefault(true);
    use_->setToolTip(
        tr("Writes the set as JSON lines and measures it on this page; the command line takes the "
           "file with --prompts"));
    const auto button = [this](const QString& text, const QString& tip, auto pressed) {
        auto* out = new QPushButton(text, this);
        out->setToolTip(tip);
        out->setAutoDefault(false);
        connect(out, &QPushButton::clicked, this, pressed);
        return out;
    };
    auto* row = new QHBoxLayout;
    row->addWidget(button(tr("Import…"), tr("Adds the pairs of a CSV or JSON lines file"), [this] {
        const QString file = QFileDialog::getOpenFileName(
            this, tr("Import pairs"), path_, tr("Pairs (*.jsonl *.ndjson *.json *.csv);;All files (*)"));
        if (!file.isEmpty()) import_file(file);
    }));
    row->addWidget(button(tr("Paste"), tr("Cells separated by tabs, as spreadsheets copy them (Ctrl+V)"),
                          [this] { paste(QApplication::clipboard()->text()); }));
    row->addWidget(button(tr("Remove rows"), tr("Removes the rows in which cells are chosen (Delete)"),
                          [this] { remove_chosen(); }));
    row->addWidget(button(tr("Undo"), tr("Takes the last change back (Ctrl+Z)"), [this] { undo(); }));
    row->addStretch(1);
    row->addWidget(button(tr("Close"), tr("Leaves without writing"), [this] { reject(); }));
    row->addWidget(use_);
    connect(use_, &QPushButton::clicked, this, [this] {
        QString file = path_;
        if (file.isEmpty())
            file = QFileDialog::getSaveFileName(this, tr("Save the set"), {}, tr("JSON lines (*.jsonl)"));
        if (!file.isEmpty()) use(file);
    });
    auto* column = new QVBoxLayout(this);
    column->addWidget(table_, 1);
    column->addWidget(said_);
    column->addLayout(row);
}

void PairTable::show_set(const QString& path, const std::vector<Pair>& pairs) {
    path_ = path;
    history_.clear();
    use_->setText(path_.isEmpty() ? tr("Save and use…") : tr("Save and use"));
    fill(pairs);
}

Pair PairTable::pair_at(int row) const {
    const auto text = [&](Cell column) {
        const QTableWidgetItem* item = table_->item(row, column);
        return item ? item->text() : QString();
    };
    return {text(clean_cell), text(corrupted_cell), text(answer_cell), text(distractor_cell)};
}

std::vector<Pair> PairTable::pairs() const {
    std::vector<Pair> out;
    for (int row = 0; row < table_->rowCount(); ++row)
        if (Pair pair = pair_at(row); pair != Pair()) out.push_back(std::move(pair));
    return out;
}

/// One empty row stays at the end to write in.
void PairTable::fill(const std::vector<Pair>& pairs) {
    filling_ = true;
    table_->setRowCount(0);
    table_->setRowCount(static_cast<int>(pairs.size()) + 1);
    for (int row = 0; row < table_->rowCount(); ++row) {
        const auto at = static_cast<std::size_t>(row);
        const Pair pair = at < pairs.size() ? pairs[at] : Pair();
        int column = 0;
        for (const QString& text : {pair.clean, pair.corrupted, pair.answer, pair.distractor})
            table_->setItem(row, column++, new QTableWidgetItem(text));
        check(row);
    }
    shown_ = pairs;
    filling_ = false;
    count();
}

void PairTable::remember(std::vector<Pair> before) {
    history_.push_back(std::move(before));
    if (history_.size() > most_steps) history_.erase(history_.begin());
}

void PairTable::changed(int row) {
    remember(std::exchange(shown_, pairs()));
    filling_ = true;
    check(row);
    if (pair_at(table_->rowCount() - 1) != Pair()) table_->setRowCount(table_->rowCount() + 1);
    filling_ = false;
    count();
}

void PairTable::check(int row) {
    const Pair pair = pair_at(row);
    const QString problem = pair == Pair() ? QString() : outside_.misfit(pair);
    auto* item = new QTableWidgetItem(pair == Pair() ? QString() : problem.isEmpty() ? tr("yes") : problem);
    item->setFlags(Qt::ItemIsEnabled);
    item->setToolTip(problem);
    item->setData(Qt::UserRole, problem.isEmpty());
    table_->setItem(row, fits_cell, item);
}

int PairTable::fitting() const {
    int out = 0;
    for (int row = 0; row < table_->rowCount(); ++row)
        if (pair_at(row) != Pair() && table_->item(row, fits_cell)->data(Qt::UserRole).toBool()) ++out;
    return out;
}

void PairTable::count() {
    const auto all = static_cast<int>(pairs().size());
    use_->setEnabled(fitting() > 0);
    if (all == 0)
        say(tr("Write a pair into the row above, paste rows from a spreadsheet, or import a file."));
    else if (fitting() == all)
        say(all == 1 ? tr("The row fits this model.") : tr("All %1 rows fit this model.").arg(all));
    else
        say(tr("%1 of %2 rows fit this model; the others are left out when the set is measured.")
                .arg(fitting())
                .arg(all));
}

void PairTable::say(const QString& sentence) { said_->setText(sentence); }

void PairTable::import_file(const QString& path) {
    std::vector<Pair> read;
    if (const QString problem = outside_.read(path, read); !problem.isEmpty()) return say(problem);
    std::vector<Pair> all = pairs();
    remember(all);
    all.insert(all.end(), read.begin(), read.end());
    fill(all);
}

void PairTable::paste(const QString& text) {
    std::vector<Pair> all = pairs();
    const std::vector<Pair> before = all;
    auto row = static_cast<std::size_t>(std::max(0, table_->currentRow()));
    const int first = std::clamp(table_->currentColumn(), 0, static_cast<int>(distractor_cell));
    QString lines = text;
    for (const QString& line : lines.remove(QLatin1Char('\r')).split(QLatin1Char('\n'), Qt::SkipEmptyParts)) {
        if (row >= all.size()) all.resize(row + 1);
        const QStringList cells = line.split(QLatin1Char('\t'));
        QString* const fields[] = {&all[row].clean, &all[row].corrupted, &all[row].answer,
                                   &all[row].distractor};
        for (int i = 0; i < cells.size() && first + i <= distractor_cell; ++i)
            *fields[first + i] = cells[i];
        ++row;
    }
    if (all == before) return;
    remember(before);
    fill(all);
}

void PairTable::remove_chosen() {
    std::set<int> rows;
    for (const QTableWidgetItem* item : table_->selectedItems())
        rows.insert(item->row());
    std::vector<Pair> left;
    for (int row = 0; row < table_->rowCount(); ++row)
        if (const Pair pair = pair_at(row); pair != Pair() && !rows.contains(row)) left.push_back(pair);
    if (left.size() == pairs().size()) return;
    remember(pairs());
    fill(left);
}

void PairTable::undo() {
    if (history_.empty()) return;
    const std::vector<Pair> before = std::move(history_.back());
    history_.pop_back();
    fill(before);
}

bool PairTable::use(const QString& path) {
    if (const QString problem = outside_.write(path, pairs()); !problem.isEmpty()) {
        say(problem);
        return false;
    }
    path_ = path;
    accept();
    emit set_wanted(path);
    return true;
}

void PairTable::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Paste)) return paste(QApplication::clipboard()->text());
    if (event->matches(QKeySequence::Undo)) return undo();
    if (event->matches(QKeySequence::Delete)) return remove_chosen();
    QDialog::keyPressEvent(event);
}

} // namespace vitrine::views
