#pragma once
#include "app/window/panel_page.h"
#include "views/cause/circuit_bar.h"
#include "views/cause/pair_table.h"

namespace vitrine::window {

/// Which parts of the model cause a behaviour: two prompts and their answers above, the map of effects below
/// with its control, beside it what each head's loss does and how far the strongest heads alone do as well.
class CausePage : public PanelPage {
    Q_OBJECT

public:
    CausePage(Bench& bench, views::Desk& desk, Runner& runner, QWidget* parent = nullptr);

    views::PairPanel& pair() { return *pair_; }
    /// Runs every picture on what stands in the panel. The main one is a step of the session.
    void measure();

    /// A token becomes the answer or the distractor; without a clean prompt the current one becomes it.
    void use_as_answer(std::int32_t id);
    void use_as_distractor(std::int32_t id);
    /// The same for the field of the two that is being filled, if one is.
    void take_token(std::int32_t id);

    /// The circuit so far, such as L5H3 or M4, most important first.
    QStringList circuit() const;
    /// A component into the circuit, or out of it; what the circuit carries is measured again.
    void toggle_in_circuit(const QString& member);
    /// The chosen set as a table; what is saved there becomes a behaviour of its own.
    views::PairTable& show_table();

    views::CircuitBar& circuit_bar() { return *circuit_bar_; }

    Json arrangement() const override;
    void arrange(const Json& arrangement) override;

protected:
    void showEvent(QShowEvent* event) override;

private:
    void take_model();
    void list_behaviours();
    void take_own_set(const QString& file);
    void take_behaviour(const QString& name);
    void take_pair();
    void strongest_as_circuit();
    std::string strongest_names();
    void set_circuit(const std::string& names);
    void show_circuit();
    void add_actions(AnalysisPage& page, QMenu& menu, const QPointF& at);
    void ready_for_tokens();

    Bench& cause_bench_;
    views::Desk& cause_desk_;
    Runner& cause_runner_;
    views::PairPanel* pair_;
    views::CircuitBar* circuit_bar_;
    std::unique_ptr<views::PairTable> table_;
    QStringList own_sets_;    ///< files of the user's
    std::string known_model_; ///< whose behaviours are listed
    Json remembered_;         ///< of a session, until the model is there
    Json own_circuit_;        ///< that the page put into the form
};

} // namespace vitrine::window
