#pragma once
#include <QDialog>
#include <functional>
#include <vector>

#include "views/cause/pair_panel.h"

class QTableWidget;

namespace vitrine::views {

/// A set of pairs as a table to write in: a row a pair, and beside it whether the model can take it. Rows
/// come from the keyboard, from the clipboard (columns separated by tabs) and from files.
class PairTable : public QDialog {
    Q_OBJECT

public:
    /// What the table knows of files and of the model. Sentences are for the user; empty: all is well.
    struct Outside {
        std::function<QString(const QString& path, std::vector<Pair>& pairs)> read;
        std::function<QString(const QString& path, const std::vector<Pair>& pairs)> write;
        std::function<QString(const Pair& pair)> misfit;
    };

    explicit PairTable(Outside outside, QWidget* parent = nullptr);

    /// `path`: the file that the pairs lie in; empty: none yet.
    void show_set(const QString& path, const std::vector<Pair>& pairs);
    std::vector<Pair> pairs() const; ///< rows in which something stands
    int fitting() const;             ///< of them, those that the model can take

    /// A sentence under the table.
    void say(const QString& sentence);

    /// The pairs of a file behind those that are there.
    void import_file(const QString& path);
    /// Rows of a text, cells separated by tabs, over what stands from the current row on.
    void paste(const QString& text);
    void remove_chosen();
    void undo();
    /// Writes the set and offers it. False: it said why not.
    bool use(const QString& path);

signals:
    void set_wanted(const QString& path);

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    void build();
    void fill(const std::vector<Pair>& pairs);
    void remember(std::vector<Pair> before);
    void changed(int row);
    void check(int row);
    void count();
    Pair pair_at(int row) const;

    Outside outside_;
    QString path_;
    bool filling_ = false;
    std::vector<Pair> shown_;                ///< as of the last change
    std::vector<std::vector<Pair>> history_; ///< before each change
    QTableWidget* table_;
    QLabel* said_;
    QPushButton* use_;
};

} // namespace vitrine::views
