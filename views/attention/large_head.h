#pragma once
// An open head as a picture reads it.
#include <functional>
#include <list>
#include <map>
#include <tuple>

#include "views/attention/head_opener.h"
#include "views/figure/large_square.h"

namespace vitrine::views {

/// Used by one thread. Keeps the tiles that were looked at last.
class LargeHead : public figure::LargeSquare {
public:
    /// `want` is called with the tiles that a picture lacked: every time, also with none.
    LargeHead(std::shared_ptr<const attention::OpenHead> head,
              std::function<void(std::vector<TileWish>)> want);

    const std::shared_ptr<const attention::OpenHead>& head() const { return head_; }
    void take(const TileWish& wish, std::shared_ptr<const attention::Patch> patch) const;
    /// Whether the last picture had everything it asked for.
    bool complete() const { return complete_; }

    int size() const override { return head_->tokens(); }
    float at(int row, int col) const override { return head_->at(row, col); }
    figure::Matrix read(int cell, const QRect& part, bool mean, bool wait) const override;

private:
    using Key = std::tuple<int, int, int>; // cell, row, col
    const attention::Patch* tile(const TileWish& wish, bool wait) const;

    std::shared_ptr<const attention::OpenHead> head_;
    std::function<void(std::vector<TileWish>)> want_;
    mutable std::map<Key, std::shared_ptr<const attention::Patch>> tiles_;
    mutable std::list<Key> used_; ///< the last used first
    mutable bool complete_ = true;
};

} // namespace vitrine::views
