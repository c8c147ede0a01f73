#include "views/session/session_page.h"

#include <QFontDatabase>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSplitter>
#include <QTabWidget>
#include <QTreeWidget>
#include <QVBoxLayout>

namespace vitrine::views {

namespace {

constexpr int seq_role = Qt::UserRole;
enum Column { number, when, what, about, status, took };

QTreeWidget* flat_table(QWidget* parent, const QStringList& titles) {
    auto* out = new QTreeWidget(parent);
    out->setHeaderLabels(titles);
    out->setRootIsDecorated(false);
    out->setUniformRowHeights(true);
    out->setAllColumnsShowFocus(true);
    out->setFrameShape(QFrame::NoFrame);
    out->setTextElideMode(Qt::ElideMiddle);
    return out;
}

QString csv_of(const QTreeWidget& table) {
    const auto line = [&](const auto& text_in) {
        QStringList cells;
        for (int column = 0; column < table.columnCount(); ++column)
            cells << figure::csv_field(text_in(column));
        return cells.join(QLatin1Char(',')) + QLatin1Char('\n');
    };
    QString out = line([&](int column) { return table.headerItem()->text(column); });
    for (int row = 0; row < table.topLevelItemCount(); ++row)
        out += line([&](int column) { return table.topLevelItem(row)->text(column); });
    return out;
}

} // namespace

SessionPage::SessionPage(Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), folder_(new QLabel(this)), said_(new QLabel(this)),
      steps_(flat_table(this, {tr("step"), tr("at"), tr("what"), tr("about"), tr("status"), tr("took")})),
      side_(new QTabWidget(this)), detail_(new QPlainTextEdit(this)),
      drift_(flat_table(this, {tr("step"), tr("artifact"), tr("verdict"), tr("NMSE"), tr("max |Δ|")})),
      notes_(new QPlainTextEdit(this)) {
    auto* head = new QHBoxLayout;
    folder_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    head->addWidget(folder_, 1);
    const auto button = [&](const QString& text, const QString& tip, auto signal) {
        auto* out = new QPushButton(text, this);
        out->setToolTip(tip);
        connect(out, &QPushButton::clicked, this, signal);
        head->addWidget(out);
    };
    button(tr("Replay"),
           tr("Does every step again and compares the numbers with those stored: identical, within the "
              "tolerance, or drifted"),
           &SessionPage::replay_wanted);
    button(tr("Export…"), tr("The whole session as one zip file, with a hash for every file"),
           &SessionPage::export_wanted);
    button(tr("Import…"), tr("Unpacks such a zip into a new folder and opens it"),
           &SessionPage::import_wanted);
    auto* tables = new QPushButton(tr("Tables…"), this);
    tables->setToolTip(tr("The list of steps, or a replay's report, as CSV"));
    auto* menu = new QMenu(tables);
    menu->addAction(tr("Steps as CSV…"), this,
                    [this] { emit table_wanted(QStringLiteral("steps"), steps_csv()); });
    QAction* drift = menu->addAction(tr("Drift as CSV…"), this,
                                     [this] { emit table_wanted(QStringLiteral("drift"), drift_csv()); });
    connect(menu, &QMenu::aboutToShow, this,
            [this, drift] { drift->setEnabled(drift_->topLevelItemCount() > 0); });
    tables->setMenu(menu);
    head->addWidget(tables);
    button(tr("Clean"), tr("Removes files that no step refers to"), &SessionPage::clean_wanted);
    button(tr("Open…"), tr("Another session, or an empty folder for a new one"), &SessionPage::open_wanted);

    build_timeline();
    detail_->setReadOnly(true);
    detail_->setFrameShape(QFrame::NoFrame);
    detail_->setLineWrapMode(QPlainTextEdit::WidgetWidth);
    detail_->setPlaceholderText(tr("Click a step: what it was asked, what it read and what it made."));
    drift_->setAccessibleName(tr("Drift"));
    drift_->headerItem()->setToolTip(
        2,
        tr("identical: the same bits. within: NMSE below the tolerance of the precision. drifted: above it. "
           "damaged: what is stored does not have its hash."));
    drift_->headerItem()->setToolTip(3, tr("Σ (new − stored)² / Σ stored²"));
    drift_->headerItem()->setToolTip(4, tr("Largest difference of a single value"));
    notes_->setFrameShape(QFrame::NoFrame);
    notes_->setPlaceholderText(tr("Notes on this session. They are kept in it."));
    side_->setDocumentMode(true);
    side_->addTab(detail_, tr("Step"));
    side_->addTab(drift_, tr("Drift"));
    side_->addTab(notes_, tr("Notes"));
    connect(notes_, &QPlainTextEdit::textChanged, this, &SessionPage::notes_changed);

    auto* splitter = new QSplitter(this);
    splitter->addWidget(steps_);
    splitter->addWidget(side_);
    splitter->setStretchFactor(0, 3);
    splitter->setStretchFactor(1, 2);
    said_->setWordWrap(true);
    said_->hide();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 6, 8, 4);
    column->addLayout(head);
    column->addWidget(said_);
    column->addWidget(splitter, 1);
    connect(&desk_, &Desk::theme_changed, this, &SessionPage::recolour);
    recolour();
}

void SessionPage::build_timeline() {
    steps_->setAccessibleName(tr("Steps"));
    steps_->header()->setStretchLastSection(false);
    steps_->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    steps_->header()->setSectionResizeMode(about, QHeaderView::Stretch);
    steps_->setContextMenuPolicy(Qt::CustomContextMenu);
    const auto seq_of = [](const QTreeWidgetItem* item) { return item->data(0, seq_role).toLongLong(); };
    connect(steps_, &QTreeWidget::currentItemChanged, this, [this, seq_of](QTreeWidgetItem* item) {
        if (item) emit detail_wanted(seq_of(item));
    });
    connect(steps_, &QTreeWidget::itemDoubleClicked, this,
            [this, seq_of](QTreeWidgetItem* item) { emit restore_wanted(seq_of(item)); });
    connect(steps_, &QWidget::customContextMenuRequested, this, [this, seq_of](const QPoint& at) {
        QTreeWidgetItem* item = steps_->itemAt(at);
        if (!item) return;
        QMenu menu(this);
        menu.addAction(tr("Show as A"), this, [this, seq = seq_of(item)] { emit restore_wanted(seq); });
        menu.exec(steps_->viewport()->mapToGlobal(at));
    });
}

void SessionPage::recolour() {
    const figure::Theme& theme = desk_.theme();
    folder_->setStyleSheet(QStringLiteral("color: %1").arg(theme.muted.name()));
    detail_->setFont(theme.fixed_font());
}

void SessionPage::show_folder(const QString& folder) {
    folder_->setText(folder);
    folder_->setToolTip(folder);
}

void SessionPage::show_steps(const std::vector<TimelineStep>& steps) {
    const auto* current = steps_->currentItem();
    const qlonglong selected = current ? current->data(0, seq_role).toLongLong() : 0;
    const QSignalBlocker quiet(steps_);
    steps_->clear();
    for (const TimelineStep& step : steps) {
        auto* item = new QTreeWidgetItem(steps_, {QString::number(step.seq), step.started, step.what,
                                                  step.text.simplified(), step.status, step.took});
        item->setData(0, seq_role, QVariant::fromValue<qlonglong>(step.seq));
        item->setTextAlignment(number, Qt::AlignRight | Qt::AlignVCenter);
        item->setTextAlignment(took, Qt::AlignRight | Qt::AlignVCenter);
        for (int column = 0; column < steps_->columnCount(); ++column)
            item->setToolTip(column, step.tip);
        if (step.status != QLatin1String("done")) item->setForeground(status, desk_.theme().warning);
        if (step.seq == selected) steps_->setCurrentItem(item);
    }
}

QString SessionPage::steps_csv() const { return csv_of(*steps_); }
QString SessionPage::drift_csv() const { return csv_of(*drift_); }

int SessionPage::steps_shown() const { return steps_->topLevelItemCount(); }

QString SessionPage::detail() const { return detail_->toPlainText(); }

void SessionPage::select_step(std::int64_t seq) {
    for (int row = 0; row < steps_->topLevelItemCount(); ++row)
        if (steps_->topLevelItem(row)->data(0, seq_role).toLongLong() == seq)
            steps_->setCurrentItem(steps_->topLevelItem(row));
}

void SessionPage::show_detail(std::int64_t seq, const QString& text) {
    const auto* current = steps_->currentItem();
    if (current && current->data(0, seq_role).toLongLong() != seq) return;
    detail_->setPlainText(text);
    side_->setCurrentWidget(detail_);
}

void SessionPage::show_drift(const std::vector<DriftRow>& rows, const QString& summary) {
    drift_->clear();
    for (const DriftRow& row : rows) {
        auto* item = new QTreeWidgetItem(
            drift_, {QString::number(row.seq), row.artifact, row.verdict, row.nmse, row.max_abs});
        item->setToolTip(1, row.artifact + QLatin1Char('\n') + row.device);
        if (row.verdict != QLatin1String("identical") && row.verdict != QLatin1String("within"))
            item->setForeground(2, desk_.theme().warning);
    }
    for (int column = 0; column < drift_->columnCount(); ++column)
        if (column != 1) drift_->resizeColumnToContents(column);
    drift_->header()->setSectionResizeMode(1, QHeaderView::Stretch);
    drift_->header()->setStretchLastSection(false);
    side_->setCurrentWidget(drift_);
    say(summary);
}

void SessionPage::say(const QString& sentence) {
    said_->setText(sentence);
    said_->setVisible(!sentence.isEmpty());
}

void SessionPage::set_notes(const QString& text) {
    const QSignalBlocker quiet(notes_);
    notes_->setPlainText(text);
}

QString SessionPage::notes() const { return notes_->toPlainText(); }

} // namespace vitrine::views
