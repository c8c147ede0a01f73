#pragma once
#include <QListWidget>
#include <vector>

#include "views/shared/desk.h"

namespace vitrine::views {

/// A row of the list of runs.
struct RunEntry {
    std::int64_t step = 0;
    QString prompt;  ///< what was run; what the step did where it is no run
    QString kind;    ///< "run", "generate", "analyze"
    QString when;    ///< "14:03", or "21 Nov"
    QString group;   ///< "today", "earlier"
    QString status;  ///< "done", "failed", …
    QString details; ///< device, milliseconds, error: on hover
};

/// The runs of the session, newest first. A click restores one; the menu pins one as B.
class RunsList : public QListWidget {
    Q_OBJECT

public:
    explicit RunsList(Desk& desk, QWidget* parent = nullptr);
    void show_entries(const std::vector<RunEntry>& entries);

signals:
    void restore_wanted(std::int64_t step);
    void compare_wanted(std::int64_t step);

private:
    void mark_current();

    Desk& desk_;
};

} // namespace vitrine::views
