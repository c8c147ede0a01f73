#include "views/shared/selection.h"

#include <algorithm>

namespace vitrine::views {

namespace {

constexpr std::size_t longest_trail = 500;

} // namespace

Place Selection::inside(Place place) const {
    place.layer = std::clamp(place.layer, 0, layers_ - 1);
    place.head = std::clamp(place.head, 0, heads_ - 1);
    place.query = std::clamp(place.query, 0, tokens_ - 1);
    place.key = std::clamp(place.key, 0, place.query);
    return place;
}

void Selection::set(Place place) {
    place = inside(place);
    if (place == place_) return;
    place_ = place;
    remember();
    emit changed();
}

void Selection::set_head(int layer, int head) { set({layer, head, place_.query, place_.key}); }
void Selection::set_query(int query) { set({place_.layer, place_.head, query, place_.key}); }

void Selection::set_key(int key) {
    // A key after the query can only be seen from there on.
    set({place_.layer, place_.head, std::max(place_.query, key), key});
}

void Selection::move(int layers, int heads, int queries, int keys) {
    set({place_.layer + layers, place_.head + heads, place_.query + queries, place_.key + keys});
}

void Selection::set_bounds(int layers, int heads, int tokens) {
    layers_ = std::max(1, layers);
    heads_ = std::max(1, heads);
    tokens_ = std::max(1, tokens);
    const Place kept = inside(place_);
    if (second_ && inside(*second_) != *second_) second_.reset(); // what it was is no more
    if (kept == place_) return;
    place_ = kept;
    emit changed();
}

void Selection::set_second(std::optional<Place> place) {
    if (place) place = inside(*place);
    if (place == second_) return;
    second_ = place;
    emit changed();
}

void Selection::remember() {
    past_.resize(at_ + 1);
    past_.push_back(place_);
    if (past_.size() > longest_trail) past_.erase(past_.begin());
    at_ = past_.size() - 1;
}

void Selection::go_back() {
    if (!can_go_back()) return;
    place_ = inside(past_[--at_]);
    emit changed();
}

void Selection::go_forward() {
    if (!can_go_forward()) return;
    place_ = inside(past_[++at_]);
    emit changed();
}

} // namespace vitrine::views
