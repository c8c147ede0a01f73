#pragma once
// Gives the Heads page its numbers: head-metrics of what the desk shows, of random ids, or of a file.
#include <QTimer>

#include "app/window/runner.h"
#include "views/heads/heads_page.h"

namespace vitrine::window {

class HeadsFeed : public QObject {
    Q_OBJECT

public:
    HeadsFeed(Bench& bench, views::Desk& desk, Runner& runner, views::HeadsPage& page,
              QObject* parent = nullptr);
    /// The page is about to follow the desk.
    bool waiting() const { return page_.isVisible() && rest_.isActive(); }
    /// What is shown becomes a step of the session: it is about to be exported.
    void record_shown() { ask(true); }

signals:
    void recorded();
    void finished();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void follow();
    void ask(bool record);
    std::string key() const; ///< of what would be computed now

    Bench& bench_;
    views::Desk& desk_;
    Runner& runner_;
    views::HeadsPage& page_;
    QTimer rest_;
    std::string shown_key_;
    engine::JobId job_ = 0; ///< that the page waits for; 0: none
};

} // namespace vitrine::window
