#pragma once
// Reads heads of long runs, and the tiles of their pictures, beside the window's event loop: the newest wish
// replaces older ones.
#include <QObject>
#include <condition_variable>
#include <optional>
#include <thread>

#include "core/attention/head_store.h"

namespace vitrine::views {

/// A head of a run.
struct HeadWish {
    std::shared_ptr<attention::HeadStore> store;
    int layer = 0, head = 0;
    attention::Look look;
    bool operator==(const HeadWish&) const = default;
};

/// One tile of a level finer than those that an open head keeps.
struct TileWish {
    std::shared_ptr<const attention::OpenHead> head;
    int cell = 1, row = 0, col = 0; ///< in tiles of tile_size cells
    bool operator==(const TileWish&) const = default;
};
constexpr int tile_size = 256;
attention::Patch read_tile(const TileWish& wish, const CancelToken& cancel);

class HeadOpener : public QObject {
    Q_OBJECT

public:
    explicit HeadOpener(QObject* parent = nullptr);
    ~HeadOpener() override;

    /// The head if it stands open; else nullptr, and opened() or refused() follows.
    std::shared_ptr<const attention::OpenHead> open(const HeadWish& wish);
    /// What the last picture lacked, replacing what is still waited for; tile_read() follows for each.
    void want(std::vector<TileWish> tiles);
    bool busy() const;

signals:
    void opened();
    void refused(const QString& sentence);
    void tile_read(const vitrine::views::TileWish& wish,
                   const std::shared_ptr<const vitrine::attention::Patch>& patch);
    void tiles_read(); ///< after some of them, and after the last

private:
    void work();
    void open_now(const HeadWish& wish, ThreadPool& pool, const CancelToken& cancel);
    void read_now(const std::vector<TileWish>& tiles, ThreadPool& pool, const CancelToken& cancel);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<HeadWish> wish_;
    std::vector<TileWish> tiles_, reading_;
    CancelToken current_;
    bool working_ = false, opening_ = false, stop_ = false;
    std::optional<HeadWish> doing_;
    std::thread thread_; ///< begins with the first wish
};

} // namespace vitrine::views
