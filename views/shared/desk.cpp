#include "views/shared/desk.h"

namespace vitrine::views {

namespace {

constexpr std::size_t longest_past = 500;

} // namespace

Desk::Desk() {
    connect(&selection, &Selection::changed, this, &Desk::note_moment);
    connect(&edits, &EditList::changed, this, &Desk::note_moment);
    connect(&edit_sets, &EditSets::changed, this, &Desk::note_moment);
}

QString Desk::why_no_difference() const {
    const RunPtr& other = b();
    if (!a_ || !other)
        return tr(
            "There is no B yet. Pin a run in the list of runs, press B to pin the current one, or change "
            "something inside the model: Space takes the selected head out.");
    if (a_->size() != other->size())
        return tr("A has %1 tokens and B has %2: position by position they cannot be subtracted. Edit one "
                  "prompt so that both have as many tokens.")
            .arg(a_->size())
            .arg(other->size());
    if (a_->layers != other->layers || a_->heads != other->heads)
        return tr("A and B come from models of different shape: their heads cannot be paired.");
    return {};
}

QString Desk::why_no_patch() const {
    if (!pinned_) return tr("Pin another run as B first.");
    if (!a_ || pinned_->size() != a_->size() || pinned_->model != a_->model)
        return tr("The pinned run needs the same model and as many tokens as A.");
    return {};
}

void Desk::set_a(RunPtr run) { set_runs(std::move(run), nullptr); }

void Desk::set_runs(RunPtr a, RunPtr edited) {
    // Who looks at the last token while typing goes on looking at the last token.
    const bool at_end = a_ && a && (side_ != Side::b || edited_) && selection.place().query == a_->size() - 1;
    const bool other_text = at_end && a->size() != a_->size();
    const bool first_edit = edited && !edited_, last_edit = !edited && edited_;
    a_ = std::move(a);
    edited_ = std::move(edited);
    // Who changes something wants to see what it does, and afterwards what was seen before.
    if (first_edit) {
        side_without_edits_ = side_;
        if (side_ == Side::a) side_ = Side::b;
    }
    if (last_edit) side_ = side_without_edits_;
    if (!b() && side_ != Side::a) side_ = Side::a;
    stale_ = false;
    fit_selection();
    if (other_text) selection.set_query(a_->size() - 1);
    emit stale_changed();
    emit run_changed();
}

void Desk::set_pinned(RunPtr run) {
    pinned_ = std::move(run);
    if (!b() && side_ != Side::a) side_ = Side::a;
    fit_selection();
    emit run_changed();
}

void Desk::choose(const figure::Spot& spot, bool second) {
    if (spot.empty()) return;
    Place place = selection.place();
    if (spot.layer >= 0) place.layer = spot.layer;
    if (spot.head >= 0) place.head = spot.head;
    if (spot.query >= 0) place.query = spot.query;
    if (spot.key >= 0) place.key = spot.key;
    if (second)
        selection.set_second(place);
    else
        selection.set(place);
}

void Desk::note_moment() {
    const Moment now{selection.place(), edits.all(), edit_sets.all()};
    if (travelling_ || now == moments_[at_]) return;
    moments_.resize(at_ + 1);
    if (edits.goes_on()) {
        moments_[at_] = now;
        return;
    }
    edits.settle();
    moments_.push_back(now);
    if (moments_.size() > longest_past) moments_.erase(moments_.begin());
    at_ = moments_.size() - 1;
}

void Desk::go_to(std::size_t moment) {
    at_ = moment;
    travelling_ = true;
    edits.settle();
    const Moment there = moments_[moment];
    selection.set(there.place);
    edit_sets.set_all(there.sets);
    edits.set_all(there.edits);
    travelling_ = false;
}

void Desk::undo() {
    if (can_undo()) go_to(at_ - 1);
}

void Desk::redo() {
    if (can_redo()) go_to(at_ + 1);
}

void Desk::set_side(Side side) {
    if (side == side_) return;
    side_ = side;
    fit_selection();
    emit run_changed();
}

void Desk::fit_selection() {
    const RunPtr& run = shown();
    if (!run) return;
    selection.set_bounds(run->layers, run->heads, run->size());
    std::vector<HeadSet::Head> there = heads.all(); // of another model, perhaps
    std::erase_if(there, [&](const HeadSet::Head& head) {
        return head.first >= run->layers || head.second >= run->heads;
    });
    heads.set_all(std::move(there));
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
