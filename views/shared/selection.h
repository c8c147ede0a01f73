#pragma once
// The one selection that every view follows and sets.
#include <optional>
#include <vector>

#include <QObject>

namespace vitrine::views {

/// Where the user looks. The query is the selected position.
struct Place {
    int layer = 0;
    int head = 0;
    int query = 0;
    int key = 0;
    bool operator==(const Place&) const = default;
};

/// The place, its bounds, and the places before it.
class Selection : public QObject {
    Q_OBJECT

public:
    const Place& place() const { return place_; }

    /// Sets the place, cut to the bounds; a key beyond the query becomes the query.
    void set(Place place);
    void set_head(int layer, int head);
    void set_query(int query);
    void set_key(int key);
    /// The place to compare with, if there is one.
    const std::optional<Place>& second() const { return second_; }
    void set_second(std::optional<Place> place);
    /// Moves by so many steps, stopping at the bounds.
    void move(int layers, int heads, int queries, int keys);

    /// Sizes of the axes; a run of `tokens` tokens keeps the place where it still exists.
    void set_bounds(int layers, int heads, int tokens);
    int tokens() const { return tokens_; }

    bool can_go_back() const { return at_ > 0; }
    bool can_go_forward() const { return at_ + 1 < past_.size(); }
    void go_back();
    void go_forward();

signals:
    void changed();

private:
    Place inside(Place place) const;
    void remember();

    Place place_;
    std::optional<Place> second_;
    int layers_ = 1, heads_ = 1, tokens_ = 1;
    std::vector<Place> past_{Place{}};
    std::size_t at_ = 0;
};

} // namespace vitrine::views
