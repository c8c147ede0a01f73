#pragma once
#include <QWidget>
#include <vector>

#include "views/shared/desk.h"

class QLabel;
class QPlainTextEdit;
class QPushButton;
class QSplitter;
class QTabWidget;
class QTreeWidget;
class QTreeWidgetItem;

namespace vitrine::views {

/// A step of the session as the timeline shows it.
struct TimelineStep {
    std::int64_t seq = 0;
    QString started; ///< "14:03:07"
    QString what;    ///< "run", "lens", …
    QString text;    ///< what it was about
    QString status;
    QString took; ///< "38.2 ms"
    QString device;
    QString tip;
};

/// What a replay found for one artifact.
struct DriftRow {
    std::int64_t seq = 0;
    QString artifact;
    QString verdict;
    QString nmse, max_abs;
    QString device; ///< of the replay
};

/// The session: its steps in order, one step's spec, a replay's report, notes.
class SessionPage : public QWidget {
    Q_OBJECT

public:
    explicit SessionPage(Desk& desk, QWidget* parent = nullptr);

    void show_folder(const QString& folder);
    void show_steps(const std::vector<TimelineStep>& steps);
    void show_detail(std::int64_t seq, const QString& text);
    void show_drift(const std::vector<DriftRow>& rows, const QString& summary);
    /// A sentence above the report: what is going on, or why it went wrong.
    void say(const QString& sentence);
    void set_notes(const QString& text);
    QString notes() const;
    void select_step(std::int64_t seq);
    /// The tables as comma-separated text, every column that they show.
    QString steps_csv() const;
    QString drift_csv() const;
    int steps_shown() const;
    QString detail() const;

signals:
    void detail_wanted(std::int64_t seq);
    void restore_wanted(std::int64_t seq);
    void replay_wanted();
    void export_wanted();
    void import_wanted();
    void clean_wanted();
    void open_wanted();
    void table_wanted(const QString& name, const QString& csv); ///< as a file: "steps", "drift"
    void notes_changed();

private:
    void build_timeline();
    void recolour();

    Desk& desk_;
    QLabel* folder_;
    QLabel* said_;
    QTreeWidget* steps_;
    QTabWidget* side_;
    QPlainTextEdit* detail_;
    QTreeWidget* drift_;
    QPlainTextEdit* notes_;
};

} // namespace vitrine::views
