#pragma once
// The examples of the first minute: each runs its text, finds in the numbers what it tells of, and says so.
#include "app/window/prompt_panel.h"
#include "app/window/runner.h"
#include "views/start/doors_bar.h"

namespace vitrine::window {

/// The doors there are. One for features and one for circuits follow with the mechanisms that they need.
std::vector<views::Door> doors();

class Doors : public QObject {
    Q_OBJECT

public:
    Doors(Bench& bench, views::Desk& desk, Runner& runner, PromptPanel& prompt, views::DoorsBar& bar,
          QObject* parent = nullptr);
    void open(const QString& id);
    static QString example_prompt();

signals:
    void page_wanted(const QString& name);

private:
    void tell();
    void tell_sink(const views::ShownRun& run);
    void tell_induction(const views::ShownRun& run);
    void look_for_head(const views::RunPtr& run);
    void tell_head(const views::RunPtr& run, int layer, int head, double after);

    Bench& bench_;
    views::Desk& desk_;
    Runner& runner_;
    PromptPanel& prompt_;
    views::DoorsBar& bar_;
    QString open_; ///< the door whose run is awaited; empty: none
};

} // namespace vitrine::window
