#pragma once
// What the Session page asks for, done on the device thread: detail of a step, replay, export, import, clean.
#include <filesystem>

#include "app/window/bench.h"
#include "app/window/session_keeper.h"
#include "views/session/session_page.h"

namespace vitrine::window {

class SessionActions : public QObject {
    Q_OBJECT

public:
    SessionActions(Bench& bench, SessionKeeper& keeper, views::SessionPage& page, QObject* parent = nullptr);

    void replay();
    void export_to(const std::filesystem::path& zip);
    void import_from(const std::filesystem::path& zip, const std::filesystem::path& folder);
    void clean();
    void write_table(const std::filesystem::path& file, const QString& csv);

signals:
    void imported(const std::filesystem::path& folder);
    void finished(); ///< any of them, well or not

private:
    void show_detail(std::int64_t seq);
    void say(const QString& sentence);

    Bench& bench_;
    SessionKeeper& keeper_;
    views::SessionPage& page_;
};

} // namespace vitrine::window
