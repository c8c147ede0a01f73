#pragma once
// Gives the Entropy page its lanes: generations of the session, and generation-lanes of those shown.
#include "app/window/generations.h"
#include "app/window/runner.h"
#include "views/entropy/lanes_page.h"

namespace vitrine::window {

/// Continues the prompt, continues a step with another token as a branch, and computes the lanes of what is
/// selected in the tree.
class LanesFeed : public QObject {
    Q_OBJECT

public:
    LanesFeed(Bench& bench, views::Desk& desk, Runner& runner, views::LanesPage& page,
              QObject* parent = nullptr);

    views::LanesPage& page() { return page_; }
    Generations& generations() { return generations_; }
    void set_manifests(const Json& manifests);
    /// Shows these; the first is the one that branches leave from.
    void show_generations(const std::vector<std::int64_t>& steps);
    std::vector<std::int64_t> shown() const { return shown_; }
    /// The lanes that are shown; nullptr: none.
    std::shared_ptr<const figure::Lanes> lanes() const { return page_.lanes(); }
    void select_step(int step);
    int step() const { return step_; }
    /// What could have stood at the selected step, most likely first.
    const std::vector<views::StepAlternatives::Offer>& alternatives() const { return offers_; }
    /// Continues from the selected step with another token.
    void branch_with(std::int32_t id);

    /// Becomes a step of the session: it is about to be exported.
    void record_shown();
    Json state() const;
    void restore(const Json& state);

signals:
    void state_changed();
    void recorded();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void connect_page();
    void connect_generations();
    void take_sampling();
    Result<Json> parameters() const; ///< checked, all of them
    Json lane_values(const Generation& of) const;
    std::string key_of(const Generation& of) const;
    const Generation* first_shown() const; ///< nullptr: nothing is
    void ask();
    void compute(const Generation& of, bool record);
    void stopped(engine::JobId id);
    void draw();
    void draw_live(const run::GenerateStep& step);
    void generations_changed();
    void show_tree();
    void tree_selected(const std::vector<std::int64_t>& ids);
    void show_alternatives();

    Bench& bench_;
    views::Desk& desk_;
    Runner& runner_;
    views::LanesPage& page_;
    Generations generations_;
    Json manifest_;
    Json pending_; ///< a state that came before the manifests
    std::vector<std::int64_t> shown_;
    std::vector<std::int64_t> wanted_; ///< that a session remembers, until they are there
    std::map<std::string, engine::AnalysisRecord> records_;
    int step_ = -1;
    engine::JobId job_ = 0; ///< lanes that the page waits for; 0: none
    bool again_ = false;    ///< they were stopped: the button of the page asks for them once more
    std::vector<views::StepAlternatives::Offer> offers_;
    views::LiveLanes live_; ///< of a generation on its way
};

} // namespace vitrine::window
