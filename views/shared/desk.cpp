#include "views/shared/desk.h"

namespace vitrine::views {

QString Desk::why_no_difference() const {
    if (!a_ || !b_)
        return tr("No run is pinned as B. Pin one in the list of runs, or press B to pin the current run.");
    if (a_->size() != b_->size())
        return tr("A has %1 tokens and B has %2: position by position they cannot be subtracted. Edit one "
                  "prompt so "
                  "that both have as many tokens.")
            .arg(a_->size())
            .arg(b_->size());
    if (a_->layers != b_->layers || a_->heads != b_->heads)
        return tr("A and B come from models of different shape: their heads cannot be paired.");
    return {};
}

void Desk::set_a(RunPtr run) {
    // Who looks at the last token while typing goes on looking at the last token.
    const bool at_end = a_ && run && side_ != Side::b && selection.place().query == a_->size() - 1;
    const bool other_text = at_end && run->size() != a_->size();
    a_ = std::move(run);
    stale_ = false;
    fit_selection();
    if (other_text) selection.set_query(a_->size() - 1);
    emit stale_changed();
    emit run_changed();
}

void Desk::set_b(RunPtr run) {
    b_ = std::move(run);
    if (!b_ && side_ != Side::a) side_ = Side::a;
    fit_selection();
    emit run_changed();
}

void Desk::set_side(Side side) {
    if (side == side_) return;
    side_ = side;
    fit_selection();
    emit run_changed();
}

void Desk::fit_selection() {
    if (const RunPtr& run = shown()) selection.set_bounds(run->layers, run->heads, run->size());
}

void Desk::set_stale(bool stale) {
    if (stale == stale_) return;
    stale_ = stale;
    emit stale_changed();
}

void Desk::set_theme(const figure::Theme& theme) {
    theme_ = theme;
    emit theme_changed();
}

} // namespace vitrine::views
