#pragma once
// Gives the Attention page what is no part of a run: scores, value-weighted attention, rollout.
#include "app/window/runner.h"
#include "views/attention/attention_page.h"

namespace vitrine::window {

class AttentionMeasures : public QObject {
    Q_OBJECT

public:
    AttentionMeasures(Bench& bench, views::Desk& desk, Runner& runner, views::AttentionPage& page,
                      QObject* parent = nullptr);
    /// What is shown becomes a step of the session: it is about to be exported.
    void record_shown();

signals:
    void recorded();

private:
    void ask(bool record);
    void read_briefs();

    Bench& bench_;
    views::Desk& desk_;
    Runner& runner_;
    views::AttentionPage& page_;
};

} // namespace vitrine::window
