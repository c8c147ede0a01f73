#include "views/attention/head_opener.h"

#include <algorithm>
#include <utility>

namespace vitrine::views {

attention::Patch read_tile(const TileWish& wish, const CancelToken& cancel) {
    return wish.head->patch(wish.cell, wish.row * tile_size, wish.col * tile_size, tile_size, tile_size,
                            cancel);
}

HeadOpener::HeadOpener(QObject* parent) : QObject(parent) {}

HeadOpener::~HeadOpener() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
        current_.cancel();
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const attention::OpenHead> HeadOpener::open(const HeadWish& wish) {
    if (auto standing = wish.store->find(wish.layer, wish.head, wish.look)) {
        const std::lock_guard lock(mutex_); // what was wished before is no longer looked at
        wish_.reset();
        if (opening_) current_.cancel();
        return standing;
    }
    {
        const std::lock_guard lock(mutex_);
        wish_.reset();
        if (doing_ == wish && !current_.cancelled()) return nullptr;
        wish_ = wish;
        tiles_.clear(); // of another head
        current_.cancel();
        if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
    }
    changed_.notify_all();
    return nullptr;
}

void HeadOpener::want(std::vector<TileWish> tiles) {
    {
        const std::lock_guard lock(mutex_);
        const bool on_their_way = std::all_of(tiles.begin(), tiles.end(), [&](const TileWish& wish) {
            return std::find(reading_.begin(), reading_.end(), wish) != reading_.end();
        });
        if (on_their_way && !current_.cancelled()) {
            tiles_.clear();
            return;
        }
        tiles_ = std::move(tiles);
        if (!opening_) current_.cancel(); // tiles of a part that is out of sight by now
        if (tiles_.empty()) return;
        if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
    }
    changed_.notify_all();
}

bool HeadOpener::busy() const {
    const std::lock_guard lock(mutex_);
    return working_ || wish_ || !tiles_.empty();
}

void HeadOpener::work() {
    ThreadPool pool;
    for (;;) {
        std::vector<TileWish> tiles;
        CancelToken cancel;
        {
            std::unique_lock lock(mutex_);
            working_ = opening_ = false;
            doing_.reset();
            reading_.clear();
            changed_.wait(lock, [this] { return stop_ || wish_ || !tiles_.empty(); });
            if (stop_) return;
            working_ = true;
            current_ = cancel;
            if (wish_) {
                doing_ = std::move(wish_);
                wish_.reset();
                opening_ = true;
            } else {
                reading_ = tiles = std::exchange(tiles_, {});
            }
        }
        if (doing_)
            open_now(*doing_, pool, cancel); // only this thread changes doing_
        else
            read_now(tiles, pool, cancel);
    }
}

void HeadOpener::open_now(const HeadWish& wish, ThreadPool& pool, const CancelToken& cancel) {
    const auto open = wish.store->open(wish.layer, wish.head, wish.look, pool, cancel);
    if (open)
        QMetaObject::invokeMethod(this, &HeadOpener::opened, Qt::QueuedConnection);
    else if (open.error().code != Code::cancelled)
        QMetaObject::invokeMethod(
            this, [this, said = QString::fromStdString(open.error().message)] { emit refused(said); },
            Qt::QueuedConnection);
}

void HeadOpener::read_now(const std::vector<TileWish>& tiles, ThreadPool& pool, const CancelToken& cancel) {
    const auto at_once = static_cast<std::size_t>(pool.threads());
    for (std::size_t first = 0; first < tiles.size() && !cancel.cancelled(); first += at_once) {
        const std::size_t count = std::min(at_once, tiles.size() - first);
        std::vector<std::shared_ptr<const attention::Patch>> read(count);
        pool.parallel_for(count, [&](std::size_t i) {
            read[i] = std::make_shared<const attention::Patch>(read_tile(tiles[first + i], cancel));
        });
        QMetaObject::invokeMethod(
            this,
            [this, read,
             wishes = std::vector(tiles.begin() + static_cast<std::ptrdiff_t>(first),
                                  tiles.begin() + static_cast<std::ptrdiff_t>(first + count))] {
                for (std::size_t i = 0; i < read.size(); ++i)
                    if (read[i]->rows > 0) emit tile_read(wishes[i], read[i]);
                emit tiles_read();
            },
            Qt::QueuedConnection);
    }
}

} // namespace vitrine::views
