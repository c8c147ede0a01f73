#include "views/attention/large_head.h"

#include <algorithm>
#include <cmath>

namespace vitrine::views {

namespace {

constexpr std::size_t most_tiles = 64; // half a megabyte each

} // namespace

LargeHead::LargeHead(std::shared_ptr<const attention::OpenHead> head,
                     std::function<void(std::vector<TileWish>)> want)
    : head_(std::move(head)), want_(std::move(want)) {}

void LargeHead::take(const TileWish& wish, std::shared_ptr<const attention::Patch> patch) const {
    if (wish.head != head_) return;
    const Key key{wish.cell, wish.row, wish.col};
    if (!tiles_.insert_or_assign(key, std::move(patch)).second) return;
    used_.push_front(key);
    if (used_.size() <= most_tiles) return;
    tiles_.erase(used_.back());
    used_.pop_back();
}

const attention::Patch* LargeHead::tile(const TileWish& wish, bool wait) const {
    const Key key{wish.cell, wish.row, wish.col};
    auto found = tiles_.find(key);
    if (found == tiles_.end() && wait) {
        take(wish, std::make_shared<const attention::Patch>(read_tile(wish, {})));
        found = tiles_.find(key);
    }
    if (found == tiles_.end()) return nullptr;
    used_.splice(used_.begin(), used_, std::find(used_.begin(), used_.end(), key));
    return found->second.get();
}

figure::Matrix LargeHead::read(int cell, const QRect& part, bool mean, bool wait) const {
    std::vector<float> out(static_cast<std::size_t>(part.width()) * static_cast<std::size_t>(part.height()),
                           std::nanf(""));
    const auto line = [&](int row) {
        return out.data() + std::ptrdiff_t{row - part.top()} * part.width() - part.left();
    };
    const std::vector<attention::Level>& levels = head_->levels();
    const auto level = std::find_if(levels.begin(), levels.end(),
                                    [&](const attention::Level& kept) { return kept.cell == cell; });
    std::vector<TileWish> missing;
    if (level != levels.end()) {
        const std::vector<float>& values = mean ? level->mean : level->largest;
        const int right = std::min(part.right() + 1, level->size);
        for (int row = part.top(); row <= std::min(part.bottom(), level->size - 1); ++row)
            if (part.left() < right)
                std::copy_n(values.data() + level->at(row, part.left()), right - part.left(),
                            line(row) + part.left());
    } else {
        const attention::Level& coarse = levels.front();
        const int ratio = coarse.cell / cell;
        for (int tile_row = part.top() / tile_size; tile_row <= part.bottom() / tile_size; ++tile_row)
            for (int tile_col = part.left() / tile_size;
                 tile_col <= std::min(part.right() / tile_size, tile_row); ++tile_col) {
                const TileWish wish{head_, cell, tile_row, tile_col};
                const QRect box =
                    QRect(tile_col * tile_size, tile_row * tile_size, tile_size, tile_size) & part;
                const attention::Patch* patch = tile(wish, wait);
                if (!patch) missing.push_back(wish);
                for (int row = box.top(); row <= box.bottom(); ++row) {
                    float* to = line(row);
                    if (!patch) {
                        for (int col = box.left(); col <= std::min(box.right(), row); ++col)
                            if (row / ratio < coarse.size && col / ratio < coarse.size)
                                to[col] = (mean ? coarse.mean
                                                : coarse.largest)[coarse.at(row / ratio, col / ratio)];
                        continue;
                    }
                    if (row - patch->row >= patch->rows) break;
                    const float* from = (mean ? patch->mean : patch->largest).data() +
                                        std::ptrdiff_t{row - patch->row} * patch->cols - patch->col;
                    for (int col = box.left(); col <= std::min(box.right(), patch->col + patch->cols - 1);
                         ++col)
                        to[col] = from[col];
                }
            }
    }
    complete_ = missing.empty();
    if (!wait && want_) want_(std::move(missing));
    return figure::make_matrix(part.height(), part.width(), std::move(out));
}

} // namespace vitrine::views
