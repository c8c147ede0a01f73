#pragma once
#include <QListWidget>
#include <vector>

#include "views/shared/desk.h"

namespace vitrine::views {

/// A row of the list of runs.
struct RunEntry {
    std::int64_t step = 0;
    QString prompt;                ///< the text that it started from
    bool spelled = false;          ///< its special tokens stand in that text
    std::vector<std::int32_t> ids; ///< its tokens
    QString kind;                  ///< "run", "generate", "analyze"
    QStringList edits;             ///< interventions, as --edit writes them
    QString beside;                ///< text of the row that edits read from; empty without one
    QString analysis;              ///< its id
    Json parameters;               ///< of the analysis
    QString when;                  ///< "14:03 · 12 tokens", or "21 Nov · …"
    QString group;                 ///< "today", "earlier"
    QString status;                ///< "done", "failed", …
    QString started;               ///< "14:03:07", with its day unless that is today
    QString took;                  ///< "38.2 ms"; empty if it did not end
    QString device;
    QString details; ///< device, milliseconds, error: on hover
};

/// Runs, generations and analyses of the session, newest first. A click restores one; the menu pins one as B.
class RunsList : public QListWidget {
    Q_OBJECT

public:
    explicit RunsList(Desk& desk, QWidget* parent = nullptr);
    void show_entries(const std::vector<RunEntry>& entries);

signals:
    void restore_wanted(std::int64_t step);
    void compare_wanted(std::int64_t step);
    void step_wanted(std::int64_t step);

private:
    void mark_current();

    Desk& desk_;
};

} // namespace vitrine::views
