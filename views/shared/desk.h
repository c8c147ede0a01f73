#pragma once
// What all views share: the runs A and B, which of them is shown, the selection, the theme.
#include "views/figure/picture.h"
#include "views/figure/theme.h"
#include "views/shared/edit_sets.h"
#include "views/shared/head_set.h"
#include "views/shared/selection.h"
#include "views/shared/shown_run.h"

namespace vitrine::views {

class FigureCanvas;

enum class Side { a, b, difference };

class Desk : public QObject {
    Q_OBJECT

public:
    Desk();

    Selection selection;
    EditList edits;
    EditSets edit_sets;
    HeadSet heads;

    /// The current run, and the one it is compared with: with interventions if any is switched on, else the
    /// pinned one. nullptr if there is none.
    const RunPtr& a() const { return a_; }
    const RunPtr& b() const { return edited_ ? edited_ : pinned_; }
    const RunPtr& pinned() const { return pinned_; }
    bool b_is_edited() const { return edited_ != nullptr; }
    Side side() const { return side_; }
    /// The run whose tokens and numbers are shown: B for Side::b, else A.
    const RunPtr& shown() const { return side_ == Side::b && b() ? b() : a_; }
    /// Why A − B cannot be drawn; empty if it can.
    QString why_no_difference() const;

    void set_a(RunPtr run);
    /// A and the same with interventions (nullptr: none is switched on) at once: they belong together.
    void set_runs(RunPtr a, RunPtr edited);
    void set_pinned(RunPtr run);
    void set_side(Side side);

    /// Points the selection at what lies under a pointer; `second`: as the place to compare with.
    void choose(const figure::Spot& spot, bool second);
    /// Why the head under the selection cannot be patched from the pinned run; empty if it can.
    QString why_no_patch() const;

    /// Steps back and forth through changes of the selection, of the interventions and of their named sets.
    void undo();
    void redo();
    bool can_undo() const { return at_ > 0; }
    bool can_redo() const { return at_ + 1 < moments_.size(); }

    /// The newest input has no result yet: pictures are slightly faded.
    bool stale() const { return stale_; }
    void set_stale(bool stale);

    const figure::Theme& theme() const { return theme_; }
    void set_theme(const figure::Theme& theme);

signals:
    void run_changed(); ///< what is shown is another run, or another side
    void stale_changed();
    void theme_changed();
    void facts_changed(); ///< more is known of the run that is shown: a head of a long one was read
    void pointed(const QString& line); ///< what is under the pointer, in one line
    void detail_wanted(const vitrine::figure::Spot& spot);
    void explain_wanted(const QString& topic);
    void export_wanted(vitrine::views::FigureCanvas* canvas);

private:
    struct Moment {
        Place place;
        std::vector<Edit> edits;
        std::vector<EditSet> sets;
        bool operator==(const Moment&) const = default;
    };
    void fit_selection();
    void note_moment();
    void go_to(std::size_t moment);

    RunPtr a_, pinned_, edited_;
    std::vector<Moment> moments_{Moment{}};
    std::size_t at_ = 0;
    bool travelling_ = false; ///< undo itself is not undone
    Side side_ = Side::a;
    Side side_without_edits_ = Side::a; ///< what was shown before the first intervention
    bool stale_ = false;
    figure::Theme theme_;
};

} // namespace vitrine::views
