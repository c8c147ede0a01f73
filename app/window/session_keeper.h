#pragma once
// What the window remembers: the session's folder, its runs, and where everything stood.
#include <QTimer>
#include <filesystem>

#include "app/window/bench.h"
#include "views/runs/runs_list.h"

namespace vitrine::window {

class SessionKeeper : public QObject {
    Q_OBJECT

public:
    explicit SessionKeeper(Bench& bench, QObject* parent = nullptr);

    /// Opens or makes the session; says `opened` with what the window remembered there (null: nothing yet).
    void open(const std::filesystem::path& folder);
    const std::filesystem::path& folder() const { return folder_; }
    bool is_open() const { return open_; }

    /// Remembers the state of the window, a little later: a newer one replaces it.
    void remember(const Json& state);
    void remember_notes(const QString& text);
    /// Writes what is still to be remembered and waits for it, at most a second.
    void flush();

    /// Reads the journal again.
    void refresh();
    const std::vector<views::RunEntry>& entries() const { return entries_; }
    const views::RunEntry* entry(std::int64_t step) const;
    /// The tokens of a generation, those of its prompt first; `then` is called with none if they are lost.
    void read_generated(std::int64_t step, std::function<void(const std::vector<std::int32_t>&)> then);

signals:
    void opened(const Json& state);
    void notes_read(const QString& text);
    void refused(const QString& sentence);
    void entries_changed();
    void flushed();

private:
    void write();

    Bench& bench_;
    std::filesystem::path folder_;
    bool open_ = false;
    Json pending_;
    std::optional<QString> pending_notes_;
    QTimer delay_;
    std::vector<views::RunEntry> entries_;
};

} // namespace vitrine::window
