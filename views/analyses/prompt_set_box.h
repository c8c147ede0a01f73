#pragma once
#include <QComboBox>
#include <vector>

namespace vitrine::views {

/// A file of prompts that can be chosen by name.
struct PromptSet {
    QString name;
    QString file;
    QString about;
};

/// What something is measured on: the text above, a set that is shipped, or a file of prompts.
class PromptSetBox : public QComboBox {
    Q_OBJECT

public:
    explicit PromptSetBox(QWidget* parent = nullptr);

    /// A choice that is neither the text nor a file. `key`: begins with ":".
    void add_choice(const QString& text, const QString& key);
    void show_sets(const std::vector<PromptSet>& sets);

    /// Empty: the text above; a path; or the key of another choice.
    QString key() const { return key_; }
    /// The path of the chosen file; empty: none is.
    QString file() const;
    /// What the chosen file is called.
    QString file_name() const;
    /// A path may be one that was not in the list.
    void choose(const QString& key);

signals:
    void chosen(const QString& key); ///< another one than before

private:
    void ask_for_file();

    QString key_;
};

} // namespace vitrine::views
