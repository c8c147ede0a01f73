#pragma once
// What all views share: the runs A and B, which of them is shown, the selection, the theme.
#include "views/figure/theme.h"
#include "views/shared/selection.h"
#include "views/shared/shown_run.h"

namespace vitrine::views {

enum class Side { a, b, difference };

class Desk : public QObject {
    Q_OBJECT

public:
    Selection selection;

    /// The current run, and the one it is compared with; nullptr if there is none.
    const RunPtr& a() const { return a_; }
    const RunPtr& b() const { return b_; }
    Side side() const { return side_; }
    /// The run whose tokens and numbers are shown: B for Side::b, else A.
    const RunPtr& shown() const { return side_ == Side::b && b_ ? b_ : a_; }
    /// Why A − B cannot be drawn; empty if it can.
    QString why_no_difference() const;

    void set_a(RunPtr run);
    void set_b(RunPtr run);
    void set_side(Side side);

    /// The newest input has no result yet: pictures are slightly faded.
    bool stale() const { return stale_; }
    void set_stale(bool stale);

    const figure::Theme& theme() const { return theme_; }
    void set_theme(const figure::Theme& theme);

signals:
    void run_changed(); ///< what is shown is another run, or another side
    void stale_changed();
    void theme_changed();
    void pointed(const QString& line); ///< what is under the pointer, in one line

private:
    void fit_selection();

    RunPtr a_, b_;
    Side side_ = Side::a;
    bool stale_ = false;
    figure::Theme theme_;
};

} // namespace vitrine::views
